"""Calls that give whole conversations, for exports."""

from collections.abc import AsyncIterator, Sequence

from msgspec.structs import replace

from chatcore.core import LOCAL_USER, Core
from chatcore.filters import ExportFilter
from chatcore.pages import with_text_so_far
from chatcore.views import Tree, Trees

__all__ = ["BATCH_MESSAGES", "Exporting"]

BATCH_MESSAGES = 1_000
"""A batch of whole conversations ends when it has so many messages: it bounds what is held at a time."""


class Exporting(Core):
    """The engine's calls that give whole conversations."""

    async def trees(
        self,
        *,
        conversation_ids: Sequence[str] | None = None,
        only: ExportFilter = ExportFilter(),
        user: str = LOCAL_USER,
    ) -> AsyncIterator[Tree]:
        """Whole conversations of the user, oldest first, archived ones too; memory holds a batch at a time.

        What is written meanwhile may or may not be in it, but each conversation is true at one moment.

        Args:
            conversation_ids: These; None: all.
            only: Those with a message that it accepts.

        Raises:
            NotFound: One of the ids is not there.
        """
        after: str | None = None
        while True:
            batch = await self.tree_batch(
                conversation_ids=conversation_ids, only=only, after=after, user=user
            )
            for tree in batch.trees:
                yield tree
            if batch.next is None:
                return
            after = batch.next

    async def tree_batch(
        self,
        *,
        conversation_ids: Sequence[str] | None = None,
        only: ExportFilter = ExportFilter(),
        after: str | None = None,
        user: str = LOCAL_USER,
    ) -> Trees:
        """The conversations of one batch, after that whose `next` is `after`; perhaps none of them is wanted.

        Raises:
            NotFound: One of the ids is not there.
            InvalidInput: `after` is not a batch's `next`.
        """
        batch = await self._store.trees(
            user, conversation_ids=conversation_ids, after=after, messages=BATCH_MESSAGES
        )
        wanted = tuple(self._so_far(tree) for tree in batch.trees if only.accepts_any(tree))
        return replace(batch, trees=wanted)

    def _so_far(self, tree: Tree) -> Tree:
        """With what was said so far where it is being answered: rows do not have it."""
        log = self._hub.conversations.get(tree.conversation.id)
        if log is None or not tree.conversation.running:
            return tree
        said = log.since(0)
        nodes = [replace(node, message=with_text_so_far(node.message, said)) for node in tree.nodes]
        return replace(tree, nodes=tuple(nodes))
