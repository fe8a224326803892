"""The commonest function words of a language, as data: what tells languages apart, and what a
question says without asking for anything.

Written for this project from the closed word classes (articles, pronouns, prepositions,
conjunctions, auxiliaries); lower case, separated by blanks.
"""

from __future__ import annotations

from collections.abc import Mapping

STOP_WORDS: Mapping[str, str] = {
    "en": "a an the and or but if then than so of at by for with about against between into"
    " through during before after to from in out on off over under again once here there"
    " when where why how what which who whom whose this that these those am is are was were"
    " be been being have has had having do does did doing will would shall should can could"
    " may might must i me my we our ours you your he him his she her hers it its they them"
    " their theirs not no nor only own same such too very as until while because both each",
    "de": "der die das den dem des ein eine einen einem einer eines und oder aber wenn als wie"
    " von zu zum zur mit nach bei aus auf für im in an am um über unter vor durch gegen ohne"
    " ist sind war waren sein wird werden wurde hat haben hatte kann können muss soll nicht"
    " kein keine auch nur noch schon ich du er sie es wir ihr mich dich sich uns dass daß was"
    " wer wo wann warum welche welcher welches dieser diese dieses so bis sehr mehr man",
    "fr": "le la les un une des du de et ou mais donc si que qui quoi dont où quand comment"
    " pourquoi quel quelle quels quelles à au aux en dans sur sous par pour avec sans entre"
    " vers chez est sont était étaient être été a ont avait avoir fait ne pas plus moins je tu"
    " il elle nous vous ils elles on me te se lui leur ce cet cette ces son sa ses mon ma mes"
    " notre nos votre vos leurs y comme aussi très tout tous toute toutes",
    "es": "el la los las un una unos unas de del y o pero si que qué quien quién cuando cuándo"
    " donde dónde como cómo por para con sin sobre entre desde hasta en a al es son era eran"
    " ser está están fue fueron ha han había haber hay tiene tienen no más menos muy ya yo tú"
    " él ella nosotros ellos ellas me te se lo le les nos su sus mi mis este esta estos estas"
    " ese esa eso cual cuál también todo todos porque",
    "it": "il lo la i gli le un uno una di del dello della dei degli delle e o ma se che chi cosa"
    " quando dove come perché quale quali a al allo alla ai agli alle da dal dalla in nel nella"
    " nei nelle su sul sulla con per tra fra è sono era erano essere stato stata ha hanno aveva"
    " avere non più meno molto già io tu lui lei noi voi loro mi ti si ci vi suo sua suoi sue"
    " questo questa questi queste quello quella anche tutto tutti",
    "pt": "o a os as um uma uns umas de do da dos das e ou mas se que quem quando onde como por"
    " porque qual quais para pelo pela com sem sobre entre desde até em no na nos nas ao à aos"
    " às é são era eram ser está estão foi foram tem têm tinha ter há não mais menos muito já"
    " eu tu ele ela nós eles elas me te lhe seu sua seus suas meu minha este esta isso isto"
    " também todo todos você",
    "nl": "de het een en of maar als dan dat die dit deze wat wie waar wanneer waarom hoe welke"
    " van voor met op in aan uit bij naar om over onder door tegen zonder tot is zijn was waren"
    " wordt worden werd heeft hebben had kan kunnen moet niet geen ook nog wel al ik je jij u"
    " hij zij ze wij we hun haar hem zich er te zo meer zeer",
    "sv": "en ett den det de och eller men om att som vad vem när var varför hur vilken vilka av"
    " för med på i till från vid över under genom mot utan är var vara varit blir har hade kan"
    " kunde ska skall måste inte ingen också bara jag du han hon vi ni dem sig sin sitt denna"
    " detta dessa så mycket mer än",
    "da": "en et den det de og eller men hvis at som hvad hvem hvornår hvor hvorfor hvordan"
    " hvilken af for med på i til fra ved over under gennem mod uden er var være været bliver"
    " har havde kan kunne skal må ikke ingen også kun jeg du han hun vi dem sig sin denne dette"
    " disse så meget mere end",
    "no": "en et ei den det de og eller men hvis at som hva hvem når hvor hvorfor hvordan hvilken"
    " av for med på i til fra ved over under gjennom mot uten er var være vært blir har hadde"
    " kan kunne skal må ikke ingen også bare jeg du han hun vi dem seg sin denne dette disse så"
    " mye mer enn",
    "fi": "ja tai mutta jos että kuin niin se ne tämä nämä joka jotka mikä mitä kuka missä milloin"
    " miksi miten on ovat oli olivat olla ollut ei eivät myös vain vielä jo minä sinä hän me te"
    " he sen sitä hänen",
    "pl": "i oraz lub albo ale jeśli że żeby kto co który która które gdzie kiedy dlaczego jak w"
    " we na do z ze od za po przez przy dla pod nad o u jest są był była było być nie tak też"
    " już tylko ja ty on ona ono my wy oni się go mu jej ich jego to ten ta te tego",
    "cs": "a i nebo ale když že aby kdo co který která které kde kdy proč jak v ve na do z ze od"
    " za po při pro pod nad o u je jsou byl byla bylo být není také již jen já ty on ona ono my"
    " vy oni se si jeho její jejich to ten ta ty tento",
    "tr": "ve veya ya da ama fakat eğer ki ile için gibi kadar daha en çok bir bu şu o ne kim"
    " nerede nasıl neden niçin hangi mi mı mu mü değil var yok olan olarak oldu olduğu ben sen"
    " biz siz onlar onun her de sonra önce ise idi",
    "ro": "un o și sau dar dacă că care cine ce când unde cum de la din în pe cu fără pentru"
    " prin despre între este sunt era fi fost are au avea nu mai foarte eu tu el ea noi voi ei"
    " ele se îi le lui lor acest această aceste",
    "hu": "a az egy és vagy de ha hogy mint ki mi mit hol mikor miért hogyan melyik van vannak"
    " volt lesz nem is csak már még én te ő mi ti ők ez ezt ezek azt nagyon kell",
    "id": "yang dan atau tetapi jika bahwa di ke dari untuk dengan pada oleh dalam adalah ini itu"
    " tidak bukan akan telah sudah saya anda dia kami kita mereka apa siapa mana kapan mengapa"
    " bagaimana juga sebagai ada",
    "ru": "и или но а если что чтобы как кто где когда почему какой какая какие который которая"
    " которые в во на к ко с со из от до за по при для под над о об у не ни же бы ли это этот"
    " эта эти то тот та те я ты он она оно мы вы они его её ее их ему им себя быть был была"
    " было были есть так также уже ещё еще только",
    "uk": "і й та або але якщо що щоб як хто де коли чому який яка які в у на до з із зі від за"
    " по при для під над про не ні ж би чи це цей ця ці то той я ти він вона воно ми ви вони"
    " його її їх бути був була було були є так також вже ще тільки",
    "bg": "и или но а ако че да как кой къде кога защо какъв която което които в във на към с със"
    " от до за по при под над не ни бе ли това този тази тези аз ти той тя то ние вие те го му"
    " ѝ им се са съм е беше били вече още само",
    "ar": "و أو لكن إذا أن إن في من إلى على عن مع هذا هذه ذلك تلك الذي التي الذين ما ماذا من متى"
    " أين كيف لماذا هل هو هي هم نحن أنا أنت كان كانت يكون ليس لا لم لن قد كل بعد قبل بين",
    "fa": "و یا اما اگر که از به در با برای تا این آن است هست بود شد می را هم نیز چه چرا کجا چگونه"
    " او ما شما آنها من تو های",
    "hi": "और या लेकिन अगर कि का की के को से में पर ने है हैं था थी थे हो यह वह ये वे इस उस क्या"
    " कौन कब कहाँ क्यों कैसे नहीं भी ही तो मैं हम आप तुम जो एक लिए साथ कर",
    "el": "και ή αλλά αν ότι που ποιος τι πότε πού γιατί πώς ο η το οι τα του της των τον την στο"
    " στη στην από με για σε είναι ήταν θα να δεν μη αυτό αυτός αυτή",
    "he": "של את על אל עם או אם כי מה מי מתי איפה למה איך זה זאת זו הוא היא הם אני אתה לא גם רק"
    " היה היתה יש אין כל",
}
