"""A process that follows a conversation's event stream over HTTP and tells on its output all it receives.

A line for each frame's data; ``gone`` whenever the server has died. A line of its input has it connect again.

usage: python follower.py PORT CONVERSATION
"""

import sys

import httpx


def follow(port: int, conversation: str) -> None:
    """Reconnect from the last position, for ever."""
    position = ""
    with httpx.Client(timeout=httpx.Timeout(5.0, read=None)) as http:
        while True:
            try:
                headers = {"Last-Event-ID": position} if position else {}
                url = f"http://127.0.0.1:{port}/api/events?conversation={conversation}"
                with http.stream("GET", url, headers=headers) as frames:
                    for line in frames.iter_lines():
                        if line.startswith("id:"):
                            position = line[3:].strip()
                        elif line.startswith("data:"):
                            print(line[5:].strip(), flush=True)
            except httpx.HTTPError:
                pass
            print("gone", flush=True)
            sys.stdin.readline()


if __name__ == "__main__":
    follow(int(sys.argv[1]), sys.argv[2])
