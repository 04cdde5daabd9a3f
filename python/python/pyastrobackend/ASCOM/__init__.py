"""Devices with ASCOM drivers on Windows."""
