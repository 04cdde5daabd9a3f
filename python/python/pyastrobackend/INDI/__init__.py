"""Raw INDI properties; the devices are in `pyastrobackend.INDIBackend`."""
