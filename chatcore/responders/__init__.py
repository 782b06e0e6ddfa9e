"""What answers: models behind the port `chatcore.ports.Responder`.

`function` wraps an async generator function; `openai_compatible` and `local` are opened through the entry
points of group ``chatcore.responders``, which are called with `ResponderOptions`. A stranger's responder is
registered there in the same way.
"""

from chatcore.responders.function import function_responder
from chatcore.responders.loading import load_function
from chatcore.responders.options import OpenResponder, ResponderOptions

__all__ = ["OpenResponder", "ResponderOptions", "function_responder", "load_function"]
