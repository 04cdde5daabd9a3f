#!/usr/bin/env python3
"""pyindi-client, libindi's own client, in the INDI bench.

    pyindi_client.py HOST PORT frame|updates

A host of the form "localhost:/name" is a unix socket. The second of two frames counts, up to the moment
when its bytes are in Python's hands.
"""

import os
import sys
import threading

import PyIndi
from peer import DEVICE, Measurement


class Client(PyIndi.BaseClient):
    def __init__(self):
        super().__init__()
        self.properties = {}
        self.defined, self.done = threading.Event(), threading.Event()
        self.bytes = None

    def newProperty(self, prop):
        self.properties[prop.getName()] = prop
        if {"CCD1", "BENCH", "CCD_EXPOSURE"} <= self.properties.keys():
            self.defined.set()

    def updateProperty(self, prop):
        if prop.getType() == PyIndi.INDI_BLOB:
            self.bytes = PyIndi.PropertyBlob(prop)[0].getblobdata()
            self.done.set()
        elif prop.getName() == "BENCH" and prop.getState() == PyIndi.IPS_OK:
            self.done.set()


def main():
    host, port, what = sys.argv[1:]
    client = Client()
    client.setServer(host, int(port))
    if not client.connectServer() or not client.defined.wait(20):
        sys.exit("no server, or no driver")
    client.setBLOBMode(PyIndi.B_ALSO, DEVICE, None)
    for _ in range(2):
        client.done.clear()
        client.bytes = None
        measurement = Measurement()
        if what == "frame":
            exposure = PyIndi.PropertyNumber(client.properties["CCD_EXPOSURE"])
            exposure[0].setValue(0)
            client.sendNewProperty(exposure)
        else:
            bench = PyIndi.PropertySwitch(client.properties["BENCH"])
            bench[0].setState(PyIndi.ISS_ON)
            client.sendNewProperty(bench)
        if not client.done.wait(100):
            sys.exit("no answer")
    measurement.print()
    # Its threads do not end by themselves.
    os._exit(0)


main()
