### Titles of the API's problems; what to do stands in the texts of errors.

problem-title-unauthorized = Du är inte inloggad
problem-title-syntax = Begäran går inte att läsa
problem-title-validation = Det finns ett problem
problem-title-idempotency-key-missing = Idempotency-Key saknas
problem-title-idempotency-key-reused = Nyckeln har redan använts
problem-title-if-match-missing = If-Match saknas
problem-title-not-found = Finns inte
problem-title-permission = Inte tillåtet
problem-title-case-changed = Ärendet har ändrats
problem-title-phase-wrong = Fel skede
problem-title-taken-by-another = En annan handläggare arbetar med ärendet
problem-title-busy = Många använder Kundwebben just nu
problem-title-outcome-unknown = Vi vet inte om det sparades
problem-title-too-large = För stort
problem-title-unsupported-media-type = Medietypen kan inte läsas
problem-title-method-not-allowed = Metoden finns inte här
problem-title-internal = Något gick fel hos oss
problem-title-read-after-timeout = Din ändring syns inte än
problem-title-case-closed = Ärendet är avslutat
problem-title-unavailable = Det går inte att spara just nu
problem-title-files-unavailable = Det går inte att spara eller läsa filer just nu
problem-title-range = Filen har ingen sådan del
problem-title-timeout = Det tog för lång tid
problem-title-quota-exceeded = För många begäranden
problem-title-issuer-unavailable = Auktoriseringsservern svarar inte
problem-title-scope-missing = Klienten får inte använda detta
