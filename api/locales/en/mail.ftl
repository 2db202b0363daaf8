### The mails. They name number, area and times, and say what to do: never anything that somebody has written.

mail-greeting = Hello,
mail-signature = Statens servicecenter, phone { $phone }, weekdays 08:00–16:30
mail-no-reply = You cannot reply to this e-mail.

mail-received-subject = Case { $number }: we have received your case
mail-received-intro = We have received your case { $number } in the area { $area }. It arrived on { $date } at { $time }.
mail-received-link = You can follow the case here:
mail-received-next = We will e-mail you when we have answered.
mail-received-no-reply = You cannot reply to this e-mail. If you want to add something, do it in the case.

mail-information-requested-subject = Case { $number }: we need more information
mail-information-requested-intro = We need more information to continue with your case { $number }.
mail-information-requested-link = Log in to see what is missing:
mail-information-requested-due = Please reply by { $due }.

mail-new-message-subject = Case { $number }: you have a new message
mail-new-message-intro = There is a new message in your case { $number }.
mail-new-message-link = Log in to read it:

mail-file-stopped-subject = Case { $number }: a file could not be accepted
mail-file-stopped-intro = A file in your case { $number } cannot be opened.
mail-file-stopped-next = We have received your case. It is only this file that we cannot read. Attach another file to the case, if it is not closed.
mail-file-stopped-link = Log in to see which file it is and why:

mail-closed-subject = Case { $number }: your case is closed
mail-closed-intro = We have closed your case { $number }.
mail-closed-link = Log in to read the answer:
mail-closed-next = Is something not right? Call us or create a new case and quote the number.

mail-service-status-subject = Service status: { $system }, { $progress }
mail-service-status-link = See how it is and what we say next:
mail-service-status-stop = You get this e-mail because you follow { $system }. Change that here:
