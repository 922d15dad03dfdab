"""What needs pixels: segmentation masks to volume and axes, by highdicom, imported when a mask is measured."""
