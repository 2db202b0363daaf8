### The words of the centre's own pages: queue, case, phone cases, statistics, audit.

selection-show = Show
selection-clear = Clear the selection
choose = Choose
filter-all-employers = All employers
age-today = today
age-days = { $n ->
    [one] { $n } day
   *[other] { $n } days
 }

# Queue
queue-title = Queue
queue-title-page = Queue, page { $page } of { $pages }
queue-filter = Selection of cases
queue-search = Search
queue-status-open = Open
queue-status-all = All
queue-channel-all = All channels
queue-officer-all = All
queue-officer-mine = Mine
queue-officer-none = Nobody
queue-sort = Order
queue-sort-oldest = Oldest first
queue-sort-newest = Newest first
queue-sort-changed = Last changed first
queue-sort-number = Case number
queue-column-case = Case
queue-column-received = Received
queue-count = { $first }–{ $last } of { $total } cases
queue-empty = No cases match the selection.
queue-nobody = Nobody yet
queue-due = Waiting for additional information until { $date }
queue-due-passed = The time for additional information ended { $date }
queue-back = To the queue
queue-withheld = Subjects and names are not shown right now, because it cannot be recorded who reads them. They come back when the read log can be written again.
queue-withheld-subject = (not shown right now)
queue-withheld-person = Not shown right now
queue-moved = The case has changed area and is now in another queue.

# Phone cases
phone-title = Register a phone case
phone-intro = The case becomes the caller's own. It is shown in My cases, and a confirmation is sent by e-mail.
phone-who = Who is calling?
phone-what = What is it about?
phone-name = Name
phone-email = E-mail
phone-email-hint = The confirmation and the answer are sent here
phone-login = Login (optional)
phone-login-hint = If you know it, for example anna.exempel
phone-language = Language of the e-mails
phone-message = What the person tells you
phone-message-hint = Write what matters for the case, and only what is needed
phone-follows-up = Earlier case (optional)
phone-follows-up-hint = Case number, if the question goes on from a closed case
phone-submit = Register the case

# Case
officer-case-status = Status
officer-case-topic = Area
officer-case-employer = Employer
officer-case-channel = Channel
officer-case-officer = Case officer
officer-case-received = Received
officer-case-reporter = The question is from
officer-case-question = Question
officer-case-answer = Answer
officer-registered-by = Registered by
officer-disposed = The content has been disposed of.
officer-actions = Work on the case
officer-everything = Everything in the case
officer-typed = This is what you wrote. It has not been saved.
officer-since = This has happened since you opened the page: { $events }. You now see the case as it is, and what you wrote is still here.
officer-others = Another case officer is working on the case. Assign it to yourself if you are to take over.
officer-start = Start processing
officer-start-hint = The case becomes yours and its status In progress.
officer-close = Answer and close
officer-close-final = When you close the case an e-mail is sent to the person who asked. The answer cannot be changed afterwards.
officer-answer-hint = The answer is shown to the person who asked
officer-request = Ask for additional information
officer-request-text = What do we need to know?
officer-request-hint = The person gets an e-mail and reads the text in the case
officer-request-due = Reply by
officer-request-due-hint = If there is no reply the case can be closed. The suggestion is ten working days.
officer-request-by = Reply by { $date }
officer-message = Write a message
officer-message-hint = The person gets an e-mail and reads the message in the case
officer-message-send = Send message
officer-message-from-customer = Message from the customer
officer-message-to-customer = Message to the customer
officer-note = Write a note
officer-note-which = Which kind of note is it?
officer-note-kind-working = Support for your memory while you work. Never shown to the customer, and normally not a public document.
officer-note-kind-official = Something that matters and that somebody has said. Belongs to the case, is shown to the customer and cannot be changed.
officer-note-text = Note
officer-note-save = Save note
officer-assign = Assign a case officer
officer-assign-me = { $name } (you)
officer-assigned-to = to { $name }
officer-reclassify = Change area
officer-reclassify-area = Which area is the case about?
officer-sent-before = The form has already been sent once. You now see the case as it is. Send again if you want to.
officer-reclassify-reason = Why does the case change area?
officer-reclassify-hint = Shown to case officers only
officer-reclassified-to = to { $topic }
officer-done-start = You are now working on the case.
officer-done-request = Additional information has been asked for.
officer-done-message = The message has been sent.
officer-done-note = The note has been saved.
officer-done-assign = The case has been assigned.
officer-done-reclassify = The case has changed area.
officer-done-close = The answer has been sent and the case is closed.
officer-done-phone = The case has been registered.

# Statistics
statistics-title = Statistics
statistics-filter = Selection of statistics
statistics-day = Day
statistics-day-hint = As it was at the end of the day
statistics-period = Period that ends that day
statistics-period-days = { $n } days
statistics-open-now = Cases now
statistics-open-then = Cases { $date }
statistics-open-caption = Open cases by employer, area and status
statistics-open-caption-sums = Open cases by area and status
statistics-none-open = There are no open cases in the selection.
statistics-sum = Sum
statistics-flow = Cases received and closed per day
statistics-flow-sum = { $from }–{ $to }: { $received } received and { $closed } closed.
statistics-chart = Chart per day
statistics-flow-table = Table per day
statistics-chart-desc = Bars show cases received and a line those closed. The same numbers are in the table below the chart.
statistics-received = Received
statistics-closed = Closed
statistics-as-table = Show as a table
statistics-day-column = Day
statistics-times = Processing time
statistics-times-caption = Time from received to closed, for cases that were closed in the period
statistics-mean = On average
statistics-none-closed = No cases were closed in the period.
duration-less = less than a minute
duration-minutes = { $n ->
    [one] { $n } minute
   *[other] { $n } minutes
 }
duration-hours = { $n ->
    [one] { $n } hour
   *[other] { $n } hours
 }
duration-days = { $n ->
    [one] { $n } day
   *[other] { $n } days
 }

# Audit
audit-title = Audit
audit-intro = The log has { $head } events. None of them can be changed or removed.
audit-filter = Selection of events
audit-case = Case
audit-case-hint = Case number or id
audit-from = From
audit-to = Until
audit-kind = Event
audit-kind-all = All events
audit-limit = Number on the page
audit-limit-events = { $n } events
audit-count = { $n ->
    [one] { $n } event on the page, newest first
   *[other] { $n } events on the page, newest first
 }
audit-empty = No events match the selection.
audit-stopped = The search has not come to the beginning of the log yet. Go to older events to search on.
audit-newest = Newest events
audit-older = Older events
audit-column-position = Position
audit-column-time = Time
audit-column-event = Event
audit-column-about = About
audit-column-actor = By
audit-column-more = Leaf hash
audit-stream = Stream
audit-version = Version
audit-actor = By (pseudonym)
audit-leaf-hash = Leaf hash
audit-sealed = Sealed content
audit-yes = Yes
audit-no = No
replay-title = Case { $number }, version { $version }
replay-heading = Event by event
replay-back = To the events of the case in the log
replay-steps = Steps
replay-previous = Previous event
replay-next = Next event
replay-version = Version { $version } of { $last }
replay-happened = What happened
replay-facts = Facts
replay-personal = Personal content
replay-personal-none = The event has no personal content.
replay-sealed = The content is sealed. Say why you need to read it.
replay-reason = Why do you need to read the content?
replay-reason-hint = For example supervision and registration number
replay-open = Show the content
replay-reason-given = Shown for the reason: { $reason }.
replay-seal = Hide the content
replay-state = The case after the event
replay-changed = changed
replay-started = Processing started
replay-closed = Closed
replay-due = Additional information by
replay-messages = Number of messages
replay-files = Number of files
replay-command = The same on the command line
replay-same-time = The next event has the same time, so the command shows it too.
replay-all = All events

protected-person = Protected identity
protected-employer = Protected
protected-title = Protected identity
protected-is = The person whose case this is has protected identity. Name, contact details and employer are shown only to team leads and registrars.
protected-mark = Mark as protected identity
protected-unmark = Remove the mark
protected-unmark-hint = The mark is removed from all cases of the same person: the same login or the same e-mail address.
protected-led-hint = The person is hidden because an e-mail address ties the case to somebody with protected identity. Mark the person if that is right, or remove the mark if it is wrong. It is removed from all cases of the same login or the same e-mail address.
protected-mark-hint = Once the person is marked, name, contact details and employer are hidden from everybody but team leads and registrars.

audit-readings = Read log: who has read what
read-log-title = Read log
read-log-intro = This is who has been shown content of cases that are not their own. That you read here is recorded too.
read-log-filter = Selection from the read log
read-log-case-hint = Case number or id. Without a case the latest readings are shown.
read-log-reason = Why do you need to read the read log?
read-log-reason-missing = Write why you need to read the read log.
read-log-show = Show the readings
read-log-empty = Nobody but the one who owns the case has read it.
read-log-column-cases = Cases
read-log-column-reason = Reason
read-log-cases = { $n } cases
read-log-disposed = Disposed of

## The service status is written
status-new = Write about a disruption or maintenance
status-edit = Change the notice
status-edit-intro = Everybody can read what you write, without logging in. Do not write names of persons.
status-starts = From
status-ends = Until (if known)
status-ends-hint = Planned maintenance is shown as resolved when its time is over.
status-next-update = Next update no later than (optional)
status-next-update-hint = Only write a time that you will keep.
moment-hint = Swedish time, for example 2026-12-01 08.00
in-swedish = In Swedish
in-english = In English
status-title = Title
status-title-hint = Say what does not work, for example: Primula cannot be reached
status-advice-optional = What one can do (optional)
status-publish = Publish
status-resolve = Mark as resolved
status-changed = Somebody else has changed the notice since you opened it. See what its page says. If you publish now, your text replaces it.

## What the pages say is written
editing-intro = Here you change what the pages say. What you publish is shown at once, and older texts stay in the history.
editing-catalogue = The service catalogue
editing-what = What is changed
editing-changed-at = Changed
editing-changed-by = By
editing-history = History
editing-first = The first version
editing-done = { $page } is published.
editing-look = See what it looks like
editing-back = Back to the editing
editing-text-title = Change { $page }
editing-text-intro = Write briefly and plainly. What stands before the first subheading is shown at the top of the page.
editing-title = Heading (optional)
editing-title-hint = If the field is empty, the usual heading is shown.
editing-body = Text
editing-body-hint = An empty line begins a new paragraph.
editing-how = How to write headings, lists and links
editing-how-heading = Subheading
editing-how-heading-about = A subheading. Three number signs give a heading below it.
editing-how-point = Point
editing-how-point-about = A point of a list. Leave an empty line before and after the list.
editing-how-step = Step
editing-how-step-about = A step of a numbered list
editing-how-bold = important
editing-how-bold-about = Bold text
editing-how-link = Support
editing-how-link-about = A link. Say where it leads in the words within brackets.
editing-how-links = A link can lead to one of our own pages (it then begins with /), to an address that begins with https://, to an e-mail address (mailto:) or to a phone number (tel:). Other links become plain text, and HTML is shown as it stands.
editing-preview = Preview
editing-preview-about = This is what the text will look like. It is not published.
editing-preview-button = Preview
editing-taken = An earlier version is in the form. Others see it only when you publish it.
editing-changed = Somebody else has published a change since you opened the form. See it in the history. If you publish now, your text replaces it.
editing-catalogue-title = Change the service catalogue
editing-catalogue-intro = Write the name in both languages. Empty the row of a service that is to be removed. A service that an employer uses can neither be removed nor get another Swedish name.
editing-service-sv = Service { $n }, in Swedish
editing-service-en = Service { $n }, in English
editing-rows = Show more rows
editing-history-title = History: { $page }
editing-versions = All versions
editing-version = Version { $n }
editing-version-column = Version
editing-use = Use this version again
