"""The chunks of a streamed completion, turned into what a responder yields."""

from openai.types.chat import ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import ChoiceDelta, ChoiceDeltaToolCall

from chatcore.messages import Reasoning, Text, ToolCall, Usage
from chatcore.ports import Output

__all__ = ["Deltas"]

_REASONING = ("reasoning_content", "reasoning")  # DeepSeek, llama.cpp, vLLM; OpenRouter, newer vLLM


class Deltas:
    """Takes chunks; tool calls are kept until they are whole.

    Attributes:
        finish_reason: Why the model stopped; None while it has not said so.
        has_text: Whether there was any text to be shown, or a tool call.
    """

    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self.has_text = False
        self._usage: Usage | None = None
        self._calls: dict[int, _Call] = {}
        self._held: dict[type[Text] | type[Reasoning], str] = {}

    def take(self, chunk: ChatCompletionChunk) -> list[Output]:
        """What the chunk adds.

        Raises:
            ValueError: It is no chunk at all (the client checks nothing of what it gives).
        """
        try:
            return self._take(chunk)
        except (AttributeError, TypeError) as error:
            raise ValueError(f"no chunk of an answer: {chunk!r:.100}") from error

    def _take(self, chunk: ChatCompletionChunk) -> list[Output]:
        if chunk.usage is not None:  # some servers count in every chunk: the last count holds
            self._usage = Usage(
                prompt_tokens=_count(chunk.usage.prompt_tokens),
                completion_tokens=_count(chunk.usage.completion_tokens),
            )
        outputs: list[Output] = []
        if chunk.model_extra and "prompt_progress" in chunk.model_extra:
            outputs.append("")  # llama.cpp reads a long prompt: no word yet, but a sign of life
        for choice in chunk.choices or ():
            if choice.index or choice.delta is None:  # one answer is asked for
                continue
            outputs += self._said(choice.delta)
            for call in choice.delta.tool_calls or ():
                self._call(call)
            self.finish_reason = choice.finish_reason or self.finish_reason
        return outputs

    def rest(self) -> list[Output]:
        """What was held back: call it once, at the end. Tool calls only when the model came to its end."""
        outputs: list[Output] = [kind(half) for kind, half in self._held.items()]
        if self.finish_reason is not None:
            outputs += [call.whole() for call in self._calls.values()]
        if self._usage is not None:
            outputs.append(self._usage)
        return outputs

    def _said(self, delta: ChoiceDelta) -> list[Output]:
        extra = delta.model_extra or {}
        thought = next((extra[name] for name in _REASONING if extra.get(name)), None)
        outputs: list[Output] = []
        if isinstance(thought, str) and (text := self._joined(Reasoning, thought)):
            outputs.append(Reasoning(text))
        for words in (delta.content, delta.refusal):
            if isinstance(words, str) and (text := self._joined(Text, words)):
                self.has_text = True
                outputs.append(text)
        return outputs

    def _joined(self, kind: type[Text] | type[Reasoning], text: str) -> str:
        """`text` with the half of a surrogate pair that came before; such a half at its end is held back."""
        held = self._held.pop(kind, "")
        if not text:
            if held:
                self._held[kind] = held
            return ""
        if held:
            text = (held + text).encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        if "\ud800" <= text[-1] <= "\udbff":
            self._held[kind] = text[-1]
            text = text[:-1]
        return text

    def _call(self, delta: ChoiceDeltaToolCall) -> None:
        self.has_text = True
        index: int | None = delta.model_dump().get("index")  # typed as always there, but some leave it out
        if index is None:
            index = max(self._calls, default=0)
        call = self._calls.get(index)
        if call is not None and delta.id and call.call_id and delta.id != call.call_id:
            index, call = max(self._calls) + 1, None  # some servers call every index 0
        if call is None:
            call = self._calls[index] = _Call()
        call.call_id = call.call_id or delta.id or ""
        if delta.function is not None:
            call.name = call.name or delta.function.name or ""
            call.arguments.append(delta.function.arguments or "")


class _Call:
    def __init__(self) -> None:
        self.call_id = ""
        self.name = ""
        self.arguments: list[str] = []

    def whole(self) -> ToolCall:
        return ToolCall(self.call_id, self.name, "".join(self.arguments) or "{}")


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None
