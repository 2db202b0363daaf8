### Payroll forms and payroll schedule: what is read under Tjänster, and what those who publish them read.

payroll-form-version = Version of { $date }
payroll-form-elsewhere = Ask your payroll officer for it

payroll-back = Back to the editors’ pages
payroll-changed = Changed
payroll-shipped = Came with Kundwebben
payroll-withdrawn = Withdrawn
payroll-state = State
payroll-history = History

payroll-forms-intro = The forms are shown under Services for employers that use Payroll. Choose a code to change name or file, or to see what was there before.
payroll-forms-back = Back to the payroll forms
payroll-form-new = New form
payroll-form-code = Code
payroll-form-code-hint = For example L-101. The code cannot be changed later.
payroll-form-name = Name
payroll-form-name-sv = Name in Swedish
payroll-form-name-en = Name in English
payroll-form-file = File
payroll-form-file-new = File (optional)
payroll-form-file-newer = New file (optional)
payroll-form-file-hint = PDF, Word or Excel, at most { $max } MB. If you choose no file, the one that is there stays.
payroll-form-no-file = No file
payroll-form-no-file-yet = No file is published. Services says to ask the payroll officer for the form.
payroll-form-fetch = Download the file ({ $what })
payroll-form-fetch-former = the file of { $date } ({ $what })
payroll-form-publish = Publish the form
payroll-form-withdraw = Withdraw the form
payroll-form-withdraw-how = It is then not shown under Services and cannot be downloaded there. The history stays, and you can publish the form again.
payroll-form-withdrawn = The form is withdrawn.
payroll-form-changed = Somebody else has changed the form since you opened it. See the history. If you publish now, your version replaces it.

payroll-periods-intro = The payroll calendar is shown under Services for employers that use Payroll, and in the calendars that subscribe to it. Choose a period to change its days or to see what was there before.
payroll-periods-back = Back to the payroll calendar
payroll-period-new = New period
payroll-period-add = Add { $period }
payroll-period-of = Period { $period }
payroll-period-usual = The days are a proposal: pay day on the 25th or the nearest bank day, payroll run a week before and documents two weeks before.
payroll-period-hint = Year and month, for example 2027-01
payroll-pay-day-hint = A bank day after the payroll run
day-hint = For example 2027-01-11
payroll-period-publish = Publish the period
payroll-period-withdraw = Withdraw the period
payroll-period-withdraw-how = It is then not shown under Services, and it is cancelled in the calendars that subscribe. The history stays, and you can publish the period again.
payroll-period-withdrawn = The period is withdrawn.
payroll-period-changed = Somebody else has changed the period since you opened it. See the history. If you publish now, your days replace theirs.
