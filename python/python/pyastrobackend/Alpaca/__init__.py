"""Devices of ASCOM Alpaca servers."""
