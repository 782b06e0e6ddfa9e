"""Calls that ask and are answered: post, send, edit, regenerate, continue, stop."""

from collections.abc import Sequence
from typing import get_args

from msgspec import UNSET, UnsetType

from chatcore.commands import AnswerMessage, PostMessage, RunSpec, SendMessage, Sent
from chatcore.core import LOCAL_USER, Core
from chatcore.errors import Busy, InvalidInput, Refused, StorageUnavailable
from chatcore.messages import (
    ENDINGS,
    Conversation,
    File,
    Message,
    Part,
    Policy,
    Role,
    Text,
    clean_text,
)
from chatcore.uploads import FileInput, store_files

__all__ = ["Exchanges"]


class Exchanges(Core):
    """The engine's calls about messages."""

    async def post(
        self,
        conversation_id: str,
        text: str,
        files: Sequence[FileInput] = (),
        *,
        role: Role = "user",
        parent: str | None | UnsetType = UNSET,
        expected_head: str | None | UnsetType = UNSET,
        key: str | None = None,
        user: str = LOCAL_USER,
    ) -> Message:
        """Store a message and ask nobody.

        Args:
            parent: Below this message (None: as a root); unset: below the head as it is at commit.
            expected_head: Refused with `HeadMoved` when another message is the head.
            key: The same key with the same content gives the first result.

        Raises:
            NotFound, InvalidInput, LimitExceeded, Busy, HeadMoved, IdempotencyConflict, StorageError
        """
        if role not in get_args(Role):
            raise InvalidInput(f"There is no role “{role}”.")
        parts = await self._parts(text, files)
        command = PostMessage(
            user=user,
            conversation_id=conversation_id,
            parts=parts,
            role=role,
            parent=parent,
            expected_head=expected_head,
            key=key,
        )
        return await self._write(command)

    async def send(
        self,
        conversation_id: str,
        text: str,
        files: Sequence[FileInput] = (),
        *,
        parent: str | None | UnsetType = UNSET,
        expected_head: str | None | UnsetType = UNSET,
        policy: Policy = "reject",
        key: str | None = None,
        user: str = LOCAL_USER,
    ) -> Sent:
        """Store a question and begin its answer, which goes on whatever becomes of the caller.

        Args:
            parent: As in `post`.
            expected_head: As in `post`.
            policy: What to do while an answer runs: ``reject`` this one, ``queue`` it behind, or
                ``interrupt`` the one that runs.
            key: As in `post`.

        Raises:
            NotFound, InvalidInput, LimitExceeded, Refused, Busy, HeadMoved, IdempotencyConflict,
            StorageUnavailable, StorageError
        """
        conversation = await self._store.conversation(user, conversation_id)
        parts = await self._parts(text, files)
        return await self._send(conversation, parts, parent, expected_head, policy, key)

    async def edit(
        self,
        message_id: str,
        text: str,
        files: Sequence[FileInput] | None = None,
        *,
        policy: Policy = "reject",
        key: str | None = None,
        user: str = LOCAL_USER,
    ) -> Sent:
        """Ask a question in other words: a sibling of the old one, which stays; `files` None keeps its files.

        Raises:
            InvalidInput: The message is not a user's.
            NotFound, LimitExceeded, Refused, Busy, IdempotencyConflict, StorageUnavailable, StorageError
        """
        old = await self._store.message(user, message_id)
        if old.role != "user":
            raise InvalidInput("Only a question can be edited.")
        conversation = await self._store.conversation(user, old.conversation_id)
        if files is None:
            kept = tuple(part for part in old.parts if isinstance(part, File))
            parts = self._joined(text, kept)
        else:
            parts = await self._parts(text, files)
        return await self._send(conversation, parts, old.parent, UNSET, policy, key)

    async def regenerate(
        self, message_id: str, *, policy: Policy = "reject", key: str | None = None, user: str = LOCAL_USER
    ) -> Sent:
        """Have a question answered once more; `message_id` is the question or an answer to it.

        Raises:
            NotFound, InvalidInput, LimitExceeded, Refused, Busy, IdempotencyConflict, StorageUnavailable,
            StorageError
        """
        return await self._answer(message_id, False, policy, key, user)

    async def continue_answer(
        self, message_id: str, *, policy: Policy = "reject", key: str | None = None, user: str = LOCAL_USER
    ) -> Sent:
        """Have an answer go on from where it ended, as a sibling that begins with what was said.

        A responder that can't do that is asked anew.

        Raises:
            As `regenerate`.
        """
        return await self._answer(message_id, True, policy, key, user)

    async def stop(self, conversation_id: str, *, user: str = LOCAL_USER) -> None:
        """End the running answer as `stopped` with what was said, and those queued behind it.

        Returns when the ending is stored; does nothing where no answer runs.

        Raises:
            NotFound
        """
        await self._store.conversation(user, conversation_id)
        run = self._runs.running(conversation_id)
        if run is not None:
            self._runs.end(run, "stopped")
            await run.ended.wait()

    async def _send(
        self,
        conversation: Conversation,
        parts: tuple[Part, ...],
        parent: str | None | UnsetType,
        expected_head: str | None | UnsetType,
        policy: Policy,
        key: str | None,
    ) -> Sent:
        _check_policy(policy)
        run = self._run_spec(conversation, parts)

        def command() -> SendMessage:
            return SendMessage(
                user=conversation.owner,
                conversation_id=conversation.id,
                parts=parts,
                run=run,
                parent=parent,
                expected_head=expected_head,
                policy=policy,
                key=key,
                ends=self._ends(conversation.id) if policy == "interrupt" else None,
            )

        return await self._write_by_policy(policy, command)

    async def _answer(
        self, message_id: str, continues: bool, policy: Policy, key: str | None, user: str
    ) -> Sent:
        _check_policy(policy)
        if policy == "queue":
            raise InvalidInput("A further answer to an old question can't be queued.")
        message = await self._store.message(user, message_id)
        if continues and message.status not in ENDINGS:
            raise Busy("This answer is still being written.", message_id=message_id)
        conversation = await self._store.conversation(user, message.conversation_id)
        question = message
        if message.role == "assistant":
            question = await self._store.message(user, message.parent or "")
        elif continues:
            raise InvalidInput("Only an answer can be continued.")
        run = self._run_spec(conversation, question.parts)
        continues = continues and self.responders[run.responder].can_continue and bool(message.parts)

        def command() -> AnswerMessage:
            return AnswerMessage(
                user=user,
                message_id=message_id,
                run=run,
                continues=continues,
                policy=policy,
                key=key,
                ends=self._ends(conversation.id) if policy == "interrupt" else None,
            )

        return await self._write_by_policy(policy, command)

    def _run_spec(self, conversation: Conversation, parts: Sequence[Part]) -> RunSpec:
        if self._runs.storage_fails:
            raise StorageUnavailable("Answers can't be stored at the moment (is the disk full?).")
        name = conversation.settings.responder or self.default_responder
        if name is None:
            raise Refused("Nothing answers here: the engine was opened without a responder.")
        responder = self.responders.get(name)
        if responder is None:
            raise Refused(f"The responder “{name}”, which this conversation asks for, is not there.")
        sentence = responder.refusal(parts, conversation.settings)
        if sentence is not None:
            raise Refused(sentence)
        return RunSpec(
            owner=self.owner,
            responder=name,
            model=responder.model,
            max_open_runs=self.limits.open_runs_per_user,
        )

    async def _parts(self, text: str, files: Sequence[FileInput]) -> tuple[Part, ...]:
        self.limits.check("text_chars", len(text), "Length of the text")
        if not files:
            return self._joined(text, ())
        return self._joined(text, await store_files(files, self._store.files, self.limits))

    def _joined(self, text: str, files: Sequence[File]) -> tuple[Part, ...]:
        self.limits.check("text_chars", len(text), "Length of the text")
        text = clean_text(text)
        if not text.strip() and not files:
            raise InvalidInput("There is neither text nor a file to send.")
        return (Text(text), *files) if text else tuple(files)


def _check_policy(policy: Policy) -> None:
    if policy not in get_args(Policy):
        raise InvalidInput(f"There is no policy “{policy}” (there are: {', '.join(get_args(Policy))}).")
