### Titles of the API's problems; what to do stands in the texts of errors.

problem-title-unauthorized = You are not logged in
problem-title-syntax = The request cannot be read
problem-title-validation = There is a problem
problem-title-idempotency-key-missing = Idempotency-Key is missing
problem-title-idempotency-key-reused = The key has already been used
problem-title-if-match-missing = If-Match is missing
problem-title-not-found = Not found
problem-title-permission = Not permitted
problem-title-case-changed = The case has changed
problem-title-phase-wrong = Wrong phase
problem-title-taken-by-another = Another case officer works on the case
problem-title-busy = Many people are using Kundwebben right now
problem-title-outcome-unknown = We do not know whether it was saved
problem-title-too-large = Too large
problem-title-unsupported-media-type = The media type cannot be read
problem-title-method-not-allowed = The method does not exist here
problem-title-internal = Something went wrong on our side
problem-title-read-after-timeout = Your change is not visible yet
problem-title-case-closed = The case is closed
problem-title-unavailable = Nothing can be saved right now
problem-title-files-unavailable = Files cannot be saved or read right now
problem-title-range = The file has no such range
problem-title-timeout = It took too long
problem-title-quota-exceeded = Too many requests
problem-title-issuer-unavailable = The authorization server does not answer
problem-title-scope-missing = The client may not use this
