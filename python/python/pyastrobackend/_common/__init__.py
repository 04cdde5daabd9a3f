"""What the frameworks have in common: the devices of the old interface over those of `astrobackend`."""
