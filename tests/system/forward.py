"""Carries connections on: LISTEN=TARGET … (each ADDRESS:PORT), for networks that are cut in a test.

Where the target cannot be reached the connection is closed without a byte.
"""

import asyncio
import sys


async def carry(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def listen(here, there):
    async def accept(reader, writer):
        try:
            onward = asyncio.open_connection(*there.rsplit(":", 1))
            their_reader, their_writer = await asyncio.wait_for(onward, 2)
        except (OSError, TimeoutError, asyncio.TimeoutError):
            writer.close()
            return
        await asyncio.gather(carry(reader, their_writer), carry(their_reader, writer))

    return await asyncio.start_server(accept, *here.rsplit(":", 1))


async def main():
    for pair in sys.argv[1:]:
        await listen(*pair.split("="))
    print("forwarding", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
