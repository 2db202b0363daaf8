### The page that describes the API.

docs-title = API för system
docs-openapi = Beskrivningen som OpenAPI 3.1 (JSON)
docs-call = Så anropar du
docs-token = Varje anrop bär en åtkomsttoken. Den som driver installationen skapar den. Beskrivningarna nedan är på engelska.
docs-operations = Anrop
docs-parameters = Parametrar och huvuden
docs-required = obligatorisk
docs-body = Exempel på begäran
docs-answers = Svar
docs-problems = Problem
docs-problems-of = Problem:
docs-problems-intro = Ett fel besvaras som application/problem+json (RFC 9457) på svenska eller engelska. Alla felaktiga fält anges på en gång.
