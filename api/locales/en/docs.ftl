### The page that describes the API.

docs-title = API for systems
docs-openapi = The description as OpenAPI 3.1 (JSON)
docs-call = How to call
docs-token = Every request carries an access token. Whoever runs the installation makes it.
docs-operations = Operations
docs-parameters = Parameters and headers
docs-required = required
docs-body = Example of a request
docs-answers = Answers
docs-problems = Problems
docs-problems-of = Problems:
docs-problems-intro = A failure is answered as application/problem+json (RFC 9457) in Swedish or English. All fields that are wrong are told at once.
