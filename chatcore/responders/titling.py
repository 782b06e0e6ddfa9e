"""Titles by a model behind chat completions: one more short request for each conversation."""

from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionUserMessageParam

from chatcore.asked import Asked
from chatcore.messages import File, Settings
from chatcore.responders.completions import ChatCompletions, ChatModel, closing
from chatcore.responders.deltas import Deltas
from chatcore.responders.dialect import Dialect, Parameters, request_body
from chatcore.responders.failures import FAILURES, CutOff, failure, option_refused

__all__ = ["TitlingCompletions"]

TRIES = 4
"""Of a title: a server may refuse three options. The first is made once more where the server fails."""

MAX_TOKENS = 40
EXCERPT_CHARS = 1_500
"""Of question and answer each: what a conversation is about stands at their beginnings."""

PROMPT = (
    "Below is the beginning of a conversation. Give it a title of two to six words, in the language of the "
    "conversation, as it would stand in a list of conversations. Reply with the title alone, without "
    "quotation marks.\n\n<question>\n{question}\n</question>\n\n<answer>\n{answer}\n</answer>"
)


class TitlingCompletions(ChatCompletions):
    """Answers likewise, and gives titles; see `chatcore.ports.Titling`."""

    def __init__(self, client: AsyncOpenAI, chat: ChatModel, dialect: Dialect) -> None:
        super().__init__(client, chat, dialect)
        # once more, since some servers drop a connection just when it is used again, right after the answer
        self._client_for_titles = client.with_options(max_retries=1)
        self._parameters: Parameters = {"max_tokens": MAX_TOKENS, "temperature": 0}

    async def make_title(self, asked: Asked, answer: str) -> str | None:
        """What the model calls the exchange; None when it did not come to an end, or said nothing.

        The conversation's settings are left out: they say how to answer.

        Raises:
            ResponderError: The server can't be reached or fails.
        """
        files = (part.attachment.name for part in asked.question.parts if isinstance(part, File))
        question = asked.text or "\n".join(files)
        prompt = PROMPT.format(question=question[:EXCERPT_CHARS], answer=answer[:EXCERPT_CHARS])
        client = self._client_for_titles
        for _ in range(TRIES):
            try:
                return await self._complete(prompt, client)
            except FAILURES as error:
                if not self._learns(error):
                    raise failure(error, where=self._chat.where, model=self._chat.model) from error
                client = client.with_options(max_retries=0)
        return None

    async def _complete(self, prompt: str, client: AsyncOpenAI) -> str | None:
        deltas = Deltas()
        said = ""
        stream = await client.chat.completions.create(
            model=self._chat.model,
            messages=[ChatCompletionUserMessageParam(role="user", content=prompt)],
            stream=True,
            extra_body=request_body(self._parameters, Settings(), self._dialect, continues=False),
        )
        async with closing(stream):
            async for chunk in stream:
                said += "".join(output for output in deltas.take(chunk) if isinstance(output, str))
                if len(said) > EXCERPT_CHARS:
                    return None  # a server that keeps to no bound
        if deltas.finish_reason is None:
            raise CutOff
        # some servers leave what the model thought in the text
        return said.rpartition("</think>")[2].strip() or None if deltas.finish_reason == "stop" else None

    def _learns(self, error: Exception) -> bool:
        """Whether there is sense in asking again, without what was refused."""
        if "temperature" in self._parameters and option_refused(error, "temperature"):
            # models that think take none but their own; an answer's is the person's, who is told
            self._parameters = {"max_tokens": MAX_TOKENS}
            return True
        return self._dialect.learn(error, has_images=False)
