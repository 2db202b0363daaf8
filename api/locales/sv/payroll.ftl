### Payroll forms and payroll schedule: what is read under Tjänster, and what those who publish them read.

payroll-form-version = Version { $date }
payroll-form-elsewhere = Finns hos din lönehandläggare

payroll-back = Tillbaka till redaktionen
payroll-changed = Ändrad
payroll-shipped = Följde med Kundwebben
payroll-withdrawn = Indragen
payroll-state = Läge
payroll-history = Historik

payroll-forms-intro = Blanketterna visas under Tjänster för arbetsgivare som använder Lön. Välj en kod för att byta namn eller fil, eller för att se vad som har gällt tidigare.
payroll-forms-back = Tillbaka till löneblanketterna
payroll-form-new = Ny blankett
payroll-form-code = Kod
payroll-form-code-hint = Till exempel L-101. Koden går inte att ändra sedan.
payroll-form-name = Namn
payroll-form-name-sv = Namn på svenska
payroll-form-name-en = Namn på engelska
payroll-form-file = Fil
payroll-form-file-new = Fil (frivilligt)
payroll-form-file-newer = Ny fil (frivilligt)
payroll-form-file-hint = PDF, Word eller Excel, högst { $max } MB. Väljer du ingen fil är den som finns kvar.
payroll-form-no-file = Ingen fil
payroll-form-no-file-yet = Ingen fil är publicerad. Under Tjänster står att blanketten finns hos lönehandläggaren.
payroll-form-fetch = Hämta filen ({ $what })
payroll-form-fetch-former = filen från { $date } ({ $what })
payroll-form-publish = Publicera blanketten
payroll-form-withdraw = Dra in blanketten
payroll-form-withdraw-how = Då visas den inte under Tjänster och går inte att hämta där. Historiken finns kvar, och du kan publicera blanketten igen.
payroll-form-withdrawn = Blanketten är indragen.
payroll-form-changed = Någon annan har ändrat blanketten sedan du öppnade den. Se historiken. Publicerar du nu ersätter din version den.

payroll-periods-intro = Tidplanen visas under Tjänster för arbetsgivare som använder Lön, och i de kalendrar som hämtar den. Välj en period för att ändra dess dagar eller se vad som har gällt tidigare.
payroll-periods-back = Tillbaka till tidplanen
payroll-period-new = Ny period
payroll-period-add = Lägg till { $period }
payroll-period-of = Period { $period }
payroll-period-usual = Dagarna är ett förslag: utbetalning den 25 eller närmaste bankdag, lönekörning en vecka före och underlag två veckor före.
payroll-period-hint = År och månad, till exempel 2027-01
payroll-pay-day-hint = En bankdag efter lönekörningen
day-hint = Till exempel 2027-01-11
payroll-period-publish = Publicera perioden
payroll-period-withdraw = Dra in perioden
payroll-period-withdraw-how = Då visas den inte under Tjänster, och den stryks i de kalendrar som hämtar tidplanen. Historiken finns kvar, och du kan publicera perioden igen.
payroll-period-withdrawn = Perioden är indragen.
payroll-period-changed = Någon annan har ändrat perioden sedan du öppnade den. Se historiken. Publicerar du nu ersätter dina dagar dem.
