"""The paths of a tree: from its roots down to its leaves."""

import json
from collections.abc import Iterator, Mapping

from chatcore.views import Node, Tree

__all__ = ["Paths", "raw_of"]


class Paths:
    """A tree, ready to be walked; whatever its depth, nothing here recurses."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._by_id = {node.message.id: node for node in tree.nodes}
        self._below: dict[str | None, list[Node]] = {}
        for node in tree.nodes:
            parent = node.message.parent
            self._below.setdefault(parent if parent in self._by_id else None, []).append(node)

    def below(self, message_id: str | None) -> list[Node]:
        """The messages right below one, oldest first; None: the roots."""
        return self._below.get(message_id, [])

    def down_to(self, message_id: str | None) -> list[Node]:
        """The path that ends with the message, its root first; None: an empty one."""
        path: list[Node] = []
        node = None if message_id is None else self._by_id.get(message_id)
        while node is not None:
            path.append(node)
            node = None if node.message.parent is None else self._by_id.get(node.message.parent)
        path.reverse()
        return path

    def shown(self) -> list[Node]:
        """The path that people see."""
        return self.down_to(self.tree.conversation.head)

    def wanted(self, *, all_paths: bool) -> Iterator[list[Node]]:
        """The shown path, and where `all_paths` then those to all other leaves, oldest first."""
        head = self.tree.conversation.head
        if head is not None:
            yield self.shown()
        if all_paths:
            for node in self.tree.nodes:
                if node.message.id != head and not self.below(node.message.id):
                    yield self.down_to(node.message.id)


def raw_of(raw: str | None) -> Mapping[str, object]:
    """What the source of an import said beyond what we hold; empty where it said nothing."""
    if raw is None:
        return {}
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
