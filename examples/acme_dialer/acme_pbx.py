"""A PBX of two phones and no sound, to try the dialer with: `python acme_pbx.py PORT`."""

import asyncio
import sys


class Pbx:
    """Plays each call to its end: rings, is answered, talks, is over."""

    def __init__(self) -> None:
        """Nothing is up yet."""
        self.states: dict[str, str] = {}
        self.calls: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Obey one connection."""
        async for line in reader:
            match line.decode().split():
                case ["DIAL", call_id, _agent, _number, _seconds]:
                    task = asyncio.create_task(self.play(call_id, writer))
                    self.calls.add(task)
                    task.add_done_callback(self.calls.discard)
                case ["FIND", call_id]:
                    writer.write(f"STATE {call_id} {self.states.get(call_id, 'unknown')}\n".encode())
        writer.close()

    async def play(self, call_id: str, writer: asyncio.StreamWriter) -> None:
        """One call."""
        course = [
            ("originated", "initiated", "-"),
            ("delivered", "alerting", "-"),
            ("established", "connected", "-"),
            ("call_cleared", "null", "16"),
        ]
        for kind, state, cause in course:
            self.states[call_id] = state
            writer.write(f"EVENT {call_id} {kind} {cause}\n".encode())
            await asyncio.sleep(0.05)


async def main(port: int) -> None:
    """Listen until interrupted; the first line of output says where."""
    server = await asyncio.start_server(Pbx().serve, "127.0.0.1", port)
    print(f"listening on {server.sockets[0].getsockname()[1]}", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
