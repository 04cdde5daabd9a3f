"""Runs a libindi driver and answers its pings: `python ping_relay.py PROGRAM`.

After each BLOB a libindi driver asks `<pingRequest uid='...'/>` and sends no other BLOB before it is answered.
indipyserver 0.0.6 knows no pings.
"""

import asyncio
import re
import sys

PING = re.compile(rb"<pingRequest\s+uid=['\"]([^'\"]*)['\"]\s*/>\s*")

NAME = b"<pingRequest"

# Longer than any ping.
TAIL = 200


def torn(data):
    """Where a ping begins that has not come as a whole."""
    start = data.rfind(b"<", max(0, len(data) - TAIL))
    begun = start >= 0 and b">" not in data[start:] and NAME.startswith(data[start : start + len(NAME)])
    return start if begun else len(data)


async def standard_input():
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    return reader


async def commands(driver):
    """From the server to the driver, until the server ends; then so does the driver."""
    reader = await standard_input()
    while data := await reader.read(65536):
        driver.stdin.write(data)
        await driver.stdin.drain()
    driver.stdin.close()


async def reports(driver):
    """From the driver to the server, without the pings, which are answered."""
    held = b""
    while data := await driver.stdout.read(65536):
        data = held + data
        for uid in PING.findall(data):
            driver.stdin.write(b"<pingReply uid='" + uid + b"'/>\n")
        data = PING.sub(b"", data)
        end = torn(data)
        held = data[end:]
        sys.stdout.buffer.write(data[:end])
        sys.stdout.buffer.flush()


async def main(program):
    pipe = asyncio.subprocess.PIPE
    driver = await asyncio.create_subprocess_exec(program, stdin=pipe, stdout=pipe, limit=1 << 20)
    await asyncio.wait(
        [asyncio.create_task(commands(driver)), asyncio.create_task(reports(driver))],
        return_when=asyncio.FIRST_COMPLETED,
    )
    driver.stdin.close()
    await driver.wait()


asyncio.run(main(sys.argv[1]))
