"""The tree of a ChatGPT conversation: `mapping`, of which some nodes hold no message."""

from collections.abc import Mapping

from chatcore.formats.values import fields, ident, listed

__all__ = ["Nodes"]

_NEAR = 64  # how far above a tool's result its call is looked for


class Nodes:
    """The nodes that hold a message, each below the nearest other one.

    Attributes:
        messages: By the id of their node, in the order of the file.
        repaired: How many were hung up by their parent's `children`, since they name no parent themselves.
    """

    def __init__(self, mapping: Mapping[str, object]) -> None:
        self.messages: dict[str, Mapping[str, object]] = {}
        self.repaired = 0
        self._above: dict[str, str | None] = {}
        listed_below: dict[str, str] = {}
        for node_id, value in mapping.items():
            node = fields(value)
            self._above[node_id] = ident(node.get("parent"))
            if isinstance(message := node.get("message"), dict):
                self.messages[node_id] = message
            for child in listed(node.get("children")):
                if isinstance(child, str) and child != node_id:
                    listed_below.setdefault(child, node_id)
        for node_id, above in self._above.items():
            if above is None and node_id in listed_below:
                self._above[node_id] = listed_below[node_id]
                self.repaired += node_id in self.messages

    def parent_of(self, node_id: str) -> str | None:
        """The nearest node above with a message; an id that the file does not have, where it names such."""
        return self._message_at(self._above.get(node_id))

    def at(self, node_id: str | None) -> str | None:
        """That node if it holds a message, else the nearest one above; None: there is none."""
        found = self._message_at(node_id)
        return found if found in self.messages else None

    def call_above(self, node_id: str) -> str | None:
        """The node of the tool call to which the node `node_id` answers."""
        above = self.parent_of(node_id)
        for _ in range(_NEAR):
            message = self.messages.get(above) if above is not None else None
            if above is None or message is None:
                return None
            role = fields(message.get("author")).get("role")
            if role == "assistant" and ident(message.get("recipient")) not in {None, "all"}:
                return above
            if role == "user":
                return None
            above = self.parent_of(above)
        return None

    def _message_at(self, node_id: str | None) -> str | None:
        passed = []
        while node_id is not None and node_id not in self.messages and node_id in self._above:
            passed.append(node_id)
            above = self._above[node_id]
            self._above[node_id] = None  # so that a circle of empty nodes has an end
            node_id = above
        for empty in passed:  # the next one has it shorter
            self._above[empty] = node_id
        return node_id
