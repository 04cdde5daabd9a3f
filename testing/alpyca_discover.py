"""Prints the servers that alpyca discovers, one a line: `python testing/alpyca_discover.py UDP_PORT`."""

import sys

from alpaca import discovery

discovery.port = int(sys.argv[1])
print(*discovery.search_ipv4(numquery=1, timeout=2), sep="\n")
