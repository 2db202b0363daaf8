### The words of the centre's own pages: queue, case, phone cases, statistics, audit.

selection-show = Visa
selection-clear = Rensa urvalet
choose = Välj
filter-all-employers = Alla arbetsgivare
age-today = i dag
age-days = { $n ->
    [one] { $n } dag
   *[other] { $n } dagar
 }

# Queue
queue-title = Ärendekö
queue-title-page = Ärendekö, sida { $page } av { $pages }
queue-filter = Urval av ärenden
queue-search = Sök
queue-status-open = Öppna
queue-status-all = Alla
queue-channel-all = Alla kanaler
queue-officer-all = Alla
queue-officer-mine = Mina
queue-officer-none = Ingen
queue-sort = Ordning
queue-sort-oldest = Äldst först
queue-sort-newest = Nyast först
queue-sort-changed = Senast ändrade först
queue-sort-number = Ärendenummer
queue-column-case = Ärende
queue-column-received = Inkom
queue-count = { $first }–{ $last } av { $total } ärenden
queue-empty = Inga ärenden passar urvalet.
queue-nobody = Ingen än
queue-due = Väntar på komplettering till { $date }
queue-due-passed = Tiden för komplettering gick ut { $date }
queue-back = Till ärendekön
queue-withheld = Ämne och namn visas inte just nu, eftersom det inte kan antecknas vem som läser dem. Det rättar till sig när läsloggen kan skrivas igen.
queue-withheld-subject = (visas inte just nu)
queue-withheld-person = Visas inte just nu
queue-moved = Ärendet har bytt område och finns nu i en annan kö.

# Phone cases
phone-title = Registrera telefonärende
phone-intro = Ärendet blir den uppringandes eget. Det syns i Mina ärenden och får en bekräftelse per mejl.
phone-who = Vem ringer?
phone-what = Vad gäller det?
phone-name = Namn
phone-email = E-post
phone-email-hint = Hit skickas bekräftelse och svar
phone-login = Inloggning (frivilligt)
phone-login-hint = Om du känner till den, till exempel anna.exempel
phone-language = Språk i mejlen
phone-message = Vad personen berättar
phone-message-hint = Skriv det som har betydelse för ärendet, och bara det som behövs
phone-follows-up = Tidigare ärende (frivilligt)
phone-follows-up-hint = Ärendenummer, om frågan fortsätter ett avslutat ärende
phone-submit = Registrera ärendet

# Case
officer-case-status = Status
officer-case-topic = Område
officer-case-employer = Arbetsgivare
officer-case-channel = Kanal
officer-case-officer = Handläggare
officer-case-received = Inkom
officer-case-reporter = Frågan kommer från
officer-case-question = Fråga
officer-case-answer = Svar
officer-registered-by = Registrerat av
officer-disposed = Innehållet är gallrat.
officer-actions = Arbeta med ärendet
officer-everything = Allt i ärendet
officer-typed = Det här skrev du. Det är inte sparat.
officer-since = Det här har hänt sedan du öppnade sidan: { $events }. Nu ser du ärendet som det är, och det du skrev finns kvar.
officer-others = En annan handläggare arbetar med ärendet. Tilldela det till dig om du ska ta över.
officer-start = Börja handlägga
officer-start-hint = Ärendet blir ditt och får status Under bearbetning.
officer-close = Svara och avsluta
officer-close-final = När du avslutar skickas ett mejl till den som frågade. Svaret kan inte ändras efteråt.
officer-answer-hint = Svaret visas för den som ställde frågan
officer-request = Be om komplettering
officer-request-text = Vad behöver vi veta?
officer-request-hint = Personen får ett mejl och läser texten i ärendet
officer-request-due = Svara senast
officer-request-due-hint = Kommer inget svar kan ärendet avslutas. Förslaget är tio arbetsdagar.
officer-request-by = Svara senast { $date }
officer-message = Skriv meddelande
officer-message-hint = Personen får ett mejl och läser meddelandet i ärendet
officer-message-send = Skicka meddelande
officer-message-from-customer = Meddelande från kunden
officer-message-to-customer = Meddelande till kunden
officer-note = Skriv anteckning
officer-note-which = Vilken sorts anteckning är det?
officer-note-kind-working = Stöd för minnet medan du arbetar. Visas aldrig för kunden och är normalt ingen allmän handling.
officer-note-kind-official = Något av betydelse som någon har sagt. Hör till ärendet, visas för kunden och kan inte ändras.
officer-note-text = Anteckning
officer-note-save = Spara anteckning
officer-assign = Tilldela handläggare
officer-assign-me = { $name } (du)
officer-assigned-to = till { $name }
officer-reclassify = Byt område
officer-reclassify-area = Vilket område gäller ärendet?
officer-sent-before = Formuläret är redan skickat en gång. Nu ser du ärendet som det är. Skicka igen om du vill.
officer-reclassify-reason = Varför byter ärendet område?
officer-reclassify-hint = Visas bara för handläggare
officer-reclassified-to = till { $topic }
officer-done-start = Du handlägger nu ärendet.
officer-done-request = Kompletteringen är begärd.
officer-done-message = Meddelandet är skickat.
officer-done-note = Anteckningen är sparad.
officer-done-assign = Ärendet är tilldelat.
officer-done-reclassify = Ärendet har bytt område.
officer-done-close = Svaret är skickat och ärendet är avslutat.
officer-done-phone = Ärendet är registrerat.

# Statistics
statistics-title = Statistik
statistics-filter = Urval av statistik
statistics-day = Dag
statistics-day-hint = Läget vid dagens slut
statistics-period = Period som slutar den dagen
statistics-period-days = { $n } dagar
statistics-open-now = Ärenden nu
statistics-open-then = Ärenden { $date }
statistics-open-caption = Öppna ärenden efter arbetsgivare, område och status
statistics-open-caption-sums = Öppna ärenden efter område och status
statistics-none-open = Det finns inga öppna ärenden i urvalet.
statistics-sum = Summa
statistics-flow = Inkomna och avslutade ärenden per dag
statistics-flow-sum = { $from }–{ $to }: { $received } inkomna och { $closed } avslutade.
statistics-chart = Diagram per dag
statistics-flow-table = Tabell per dag
statistics-chart-desc = Staplar visar inkomna ärenden och en linje avslutade. Samma siffror finns i tabellen under diagrammet.
statistics-received = Inkomna
statistics-closed = Avslutade
statistics-as-table = Visa som tabell
statistics-day-column = Dag
statistics-times = Handläggningstid
statistics-times-caption = Tid från inkommet till avslutat, för ärenden som avslutades under perioden
statistics-mean = I genomsnitt
statistics-none-closed = Inga ärenden avslutades under perioden.
duration-less = mindre än en minut
duration-minutes = { $n ->
    [one] { $n } minut
   *[other] { $n } minuter
 }
duration-hours = { $n ->
    [one] { $n } timme
   *[other] { $n } timmar
 }
duration-days = { $n } dygn

# Audit
audit-title = Revision
audit-intro = Loggen har { $head } händelser. Ingen av dem kan ändras eller tas bort.
audit-filter = Urval av händelser
audit-case = Ärende
audit-case-hint = Ärendenummer eller id
audit-from = Från
audit-to = Till och med
audit-kind = Händelse
audit-kind-all = Alla händelser
audit-limit = Antal på sidan
audit-limit-events = { $n } händelser
audit-count = { $n ->
    [one] { $n } händelse på sidan, den senaste först
   *[other] { $n } händelser på sidan, den senaste först
 }
audit-empty = Inga händelser passar urvalet.
audit-stopped = Sökningen har inte nått loggens början än. Gå till äldre händelser för att söka vidare.
audit-newest = Senaste händelserna
audit-older = Äldre händelser
audit-column-position = Plats
audit-column-time = Tid
audit-column-event = Händelse
audit-column-about = Gäller
audit-column-actor = Av
audit-column-more = Lövhash
audit-stream = Ström
audit-version = Version
audit-actor = Av (pseudonym)
audit-leaf-hash = Lövhash
audit-sealed = Förseglat innehåll
audit-yes = Ja
audit-no = Nej
replay-title = Ärende { $number }, version { $version }
replay-heading = Händelse för händelse
replay-back = Till ärendets händelser i loggen
replay-steps = Steg
replay-previous = Föregående händelse
replay-next = Nästa händelse
replay-version = Version { $version } av { $last }
replay-happened = Det som hände
replay-facts = Fakta
replay-personal = Personligt innehåll
replay-personal-none = Händelsen har inget personligt innehåll.
replay-sealed = Innehållet är förseglat. Skriv varför du behöver läsa det.
replay-reason = Varför behöver du läsa innehållet?
replay-reason-hint = Till exempel tillsyn och diarienummer
replay-open = Visa innehållet
replay-reason-given = Visas med skälet: { $reason }.
replay-seal = Dölj innehållet
replay-state = Ärendet efter händelsen
replay-changed = ändrat
replay-started = Handläggningen startade
replay-closed = Avslutat
replay-due = Komplettering senast
replay-messages = Antal meddelanden
replay-files = Antal filer
replay-command = Samma sak på kommandoraden
replay-same-time = Nästa händelse har samma tid, så kommandot visar också den.
replay-all = Alla händelser

protected-person = Skyddade personuppgifter
protected-employer = Skyddad uppgift
protected-title = Skyddade personuppgifter
protected-is = Den som ärendet gäller har skyddade personuppgifter. Namn, kontaktuppgifter och arbetsgivare visas bara för samordnare och registratorer.
protected-mark = Märk som skyddade personuppgifter
protected-unmark = Ta bort märkningen
protected-unmark-hint = Märkningen tas bort för alla ärenden som gäller samma person: samma inloggning eller samma e-postadress.
protected-led-hint = Personen är dold för att en e-postadress knyter ärendet till någon med skyddade personuppgifter. Märk personen om det är rätt, eller ta bort märkningen om det är fel. Den tas bort för alla ärenden med samma inloggning eller samma e-postadress.
protected-mark-hint = När personen är märkt döljs namn, kontaktuppgifter och arbetsgivare för alla utom samordnare och registratorer.

audit-readings = Läslogg: vem som har läst vad
read-log-title = Läslogg
read-log-intro = Här står vem som har fått se innehåll i ärenden som inte är deras egna. Att du läser här antecknas också.
read-log-filter = Urval ur läsloggen
read-log-case-hint = Ärendenummer eller id. Utan ärende visas de senaste läsningarna.
read-log-reason = Varför behöver du läsa läsloggen?
read-log-reason-missing = Skriv varför du behöver läsa läsloggen.
read-log-show = Visa läsningarna
read-log-empty = Ingen annan än den som äger ärendet har läst det.
read-log-column-cases = Ärenden
read-log-column-reason = Skäl
read-log-cases = { $n } ärenden
read-log-disposed = Gallrad

## Driftstatus skrivs
status-new = Skriv om en störning eller ett underhåll
status-edit = Ändra meddelandet
status-edit-intro = Alla kan läsa det du skriver, utan att logga in. Skriv inga namn på personer.
status-starts = Från
status-ends = Till (om det är känt)
status-ends-hint = Ett planerat underhåll visas som löst när tiden är ute.
status-next-update = Nästa besked senast (frivilligt)
status-next-update-hint = Skriv bara en tid som ni håller.
moment-hint = Svensk tid, till exempel 2026-12-01 08.00
in-swedish = På svenska
in-english = På engelska
status-title = Rubrik
status-title-hint = Säg vad som inte fungerar, till exempel: Primula går inte att nå
status-advice-optional = Vad man kan göra (frivilligt)
status-publish = Publicera
status-resolve = Markera som löst
status-changed = Någon annan har ändrat meddelandet sedan du öppnade det. Se vad som står på dess sida. Publicerar du nu ersätter din text den.

## What the pages say is written
editing-intro = Här ändrar du det som står på sidorna. Det du publicerar syns direkt, och äldre texter finns kvar i historiken.
editing-catalogue = Tjänstekatalogen
editing-what = Det som ändras
editing-changed-at = Ändrad
editing-changed-by = Av
editing-history = Historik
editing-first = Den första versionen
editing-done = { $page } är publicerad.
editing-look = Se hur den ser ut
editing-back = Tillbaka till redaktionen
editing-text-title = Ändra { $page }
editing-text-intro = Skriv kort och enkelt. Det som står före den första underrubriken visas överst på sidan.
editing-title = Rubrik (frivilligt)
editing-title-hint = Är fältet tomt visas den vanliga rubriken.
editing-body = Text
editing-body-hint = En tom rad ger ett nytt stycke.
editing-how = Så skriver du rubriker, listor och länkar
editing-how-heading = Underrubrik
editing-how-heading-about = Underrubrik. Tre nummertecken ger en rubrik under den.
editing-how-point = Punkt
editing-how-point-about = En punkt i en lista. Ha en tom rad före och efter listan.
editing-how-step = Steg
editing-how-step-about = Ett steg i en numrerad lista
editing-how-bold = viktigt
editing-how-bold-about = Fet text
editing-how-link = Support
editing-how-link-about = En länk. Skriv vart den leder i orden inom hakparentes.
editing-how-links = En länk kan leda till en av våra egna sidor (den börjar då med /), till en adress som börjar med https://, till en e-postadress (mailto:) eller till ett telefonnummer (tel:). Andra länkar blir vanlig text, och HTML visas som det står.
editing-preview = Förhandsvisning
editing-preview-about = Så här kommer texten att se ut. Den är inte publicerad.
editing-preview-button = Förhandsvisa
editing-taken = En tidigare version ligger i formuläret. Den syns för andra först när du publicerar den.
editing-changed = Någon annan har publicerat en ändring sedan du öppnade formuläret. Se den i historiken. Publicerar du nu ersätter din text den.
editing-catalogue-title = Ändra tjänstekatalogen
editing-catalogue-intro = Skriv namnet på båda språken. Töm raden för en tjänst som ska bort. En tjänst som en arbetsgivare använder kan inte tas bort eller byta svenskt namn.
editing-service-sv = Tjänst { $n }, på svenska
editing-service-en = Tjänst { $n }, på engelska
editing-rows = Visa fler rader
editing-history-title = Historik: { $page }
editing-versions = Alla versioner
editing-version = Version { $n }
editing-version-column = Version
editing-use = Använd den här versionen igen
