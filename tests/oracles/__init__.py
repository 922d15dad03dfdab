"""Third-party judges of what this project writes: their installer (`install`), their runners, one call (`judges`)."""
