"""The commands of `lesionbridge`, one a module. What a module needs that is slow to import, it imports when it runs."""
