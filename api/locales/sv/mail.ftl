### The mails. They name number, area and times, and say what to do: never anything that somebody has written.

mail-greeting = Hej!
mail-signature = Statens servicecenter, telefon { $phone }, vardagar kl. 08.00–16.30
mail-no-reply = Du kan inte svara på det här mejlet.

mail-received-subject = Ärende { $number }: vi har tagit emot ditt ärende
mail-received-intro = Vi har tagit emot ditt ärende { $number } inom området { $area }. Det kom in { $date } kl. { $time }.
mail-received-link = Du kan följa ärendet här:
mail-received-next = Du får ett mejl när vi har svarat.
mail-received-no-reply = Du kan inte svara på det här mejlet. Vill du lägga till något gör du det i ärendet.

mail-information-requested-subject = Ärende { $number }: vi behöver mer information
mail-information-requested-intro = Vi behöver mer information för att kunna arbeta vidare med ditt ärende { $number }.
mail-information-requested-link = Logga in och läs vad som saknas:
mail-information-requested-due = Svara senast { $due }.

mail-new-message-subject = Ärende { $number }: du har ett nytt meddelande
mail-new-message-intro = Det finns ett nytt meddelande i ditt ärende { $number }.
mail-new-message-link = Logga in för att läsa det:

mail-file-stopped-subject = Ärende { $number }: en fil gick inte att ta emot
mail-file-stopped-intro = En fil i ditt ärende { $number } kan inte öppnas.
mail-file-stopped-next = Ditt ärende är mottaget. Vi kan bara inte läsa den filen. Bifoga en ny fil i ärendet, om det inte är avslutat.
mail-file-stopped-link = Logga in för att se vilken fil det är och varför:

mail-closed-subject = Ärende { $number }: ditt ärende är avslutat
mail-closed-intro = Vi har avslutat ditt ärende { $number }.
mail-closed-link = Logga in för att läsa svaret:
mail-closed-next = Stämmer det inte? Ring oss eller skapa ett nytt ärende och ange numret.

mail-service-status-subject = Driftstatus: { $system }, { $progress }
mail-service-status-link = Se läget och vad vi säger härnäst:
mail-service-status-stop = Du får mejlet för att du följer { $system }. Du ändrar det här:
