"""The words that speak for a task, in English, German, French, Spanish, Chinese and Japanese.

Data for `task`: task → (weight, phrases). Phrases are separated by ";", hold no accents, and end in "*" where they are
the beginning of a word. Chinese and Japanese phrases match anywhere. Weights: 3 settles it, 2 is usual, 1 a hint.
"""

from __future__ import annotations

Cues = tuple[tuple[float, str], ...]

TASKS: dict[str, Cues] = {
    "research": (
        (3.0, "literature review; what would happen; for and against; state of the art; survey of; deep research; "
              "research report; due diligence; market analysis; market research; systematic review; meta analysis; "
              "etat de l art; estado del arte; stand der forschung; 文献综述; 调研; 调查报告; 先行研究; 市場調査"),
        (2.0, "research; investigate*; what does the evidence; what evidence; what is known about; current evidence; "
              "latest developments; analy*; in depth; comprehensive; synthesi*; long term effects; effects of; "
              "impact of; impacts of; implications of; consequences of; causes of; outlook; forecast*; recherchiere*; "
              "untersuche*; auswirkungen; forschungsstand; ursachen; recherche sur; enquete; consequences de; "
              "impact de; effets de; investiga*; analiza*; efectos de; consecuencias de; impacto de; 研究; 分析; "
              "影响; 調べて; 調査; 影響"),
        (1.0, "evidence; sources; cite; citations; studies; trends; factors; assess*; report on; belege; quellen; "
              "etudes; sources fiables; estudios; fuentes; 证据; 趋势; 来源; 根拠; 動向; 出典"),
    ),
    "compare": (
        (3.0, "pros and cons; trade offs; tradeoffs; trade off; tradeoff; advantages and disadvantages; "
              "vor und nachteile; spricht fur; rent or buy; avantages et inconvenients; ventajas y desventajas; "
              "pros y contras; 优缺点; 利弊; 对比; 比较; 比較; メリットとデメリット"),
        (2.0, "compare*; comparing; comparison*; versus; vs; contrast; how do they differ; stack up against; "
              "vergleich*; gegenuberstell*; compar*; comparez; frente a; 有什么区别; 比べて; どう違う"),
        (1.0, "difference between; differences between; differ; unterschied*; difference entre; diferencia*; 区别; "
              "違い"),
    ),
    "critique": (
        (3.0, "critique; devil s advocate; steelman; steel man; poke holes; weakest; flaws in; "
              "what is wrong with this argument; peer review; red team; schwachstellen; points faibles; "
              "puntos debiles; 批判; 弱点; 漏洞; 問題点; 反論"),
        (2.0, "critici*; review my; review this; review the; evaluate*; weaknesses; strengths and; assess the; "
              "feedback on; what do you think of; rate my; penses tu de; pensez vous de; opinas de; haltst du von; "
              "how convincing; begutachte*; kritik*; kritisier*; bewerte*; beurteile*; critiquer; critiquez; evalue*; "
              "evalua*; critica*; revisa*; 评价; 评估; 评审; 审查; 評価; 批評; レビュー; 添削"),
        (1.0, "fallac*; counterargument*; objections; is this argument; einwande; argument*; 论证; 論点"),
    ),
    "decide": (
        (3.0, "should i; can i take; is it safe to; what do i do; should we; should our; is it worth; help me decide; "
              "help me choose; which one should; what would you choose; what should i do; what should we do; "
              "soll ich; sollen wir; sollte ich; sollten wir; lohnt es sich; dois je; devrais je; devons nous; "
              "devrions nous; faut il; vaut il la peine; deberia; debo; debemos; deberiamos; vale la pena; conviene; "
              "应该; 该不该; 值得; 是否应; すべき; べきか; べきでしょうか; 価値があ"),
        (2.0, "which is better; which is best; best way to; best approach; best option; recommend*; advise*; "
              "strategy for; choose between; decide between; better choice; what is the best; which of these; "
              "go with; besser; empfehl*; entscheid*; welche ist besser; am besten; meilleur*; mieux; conseill*; "
              "recommand*; choisir; mejor; recomien*; aconsej*; elegir; must choose; 哪个更好; 哪个好; 推荐; 建议; "
              "选择; 怎么选; どちらが; おすすめ; 選ぶ; 選べば"),
        (1.0, "option*; choose; choice; plan for; strateg*; worth it; alternatives; advice; prioriti*; wahl; choix; "
              "opcion*; 方案; 策略; 戦略"),
    ),
    "explain": (
        (2.0, "explain; how does; how do; why does; why do; why is; why are; what causes; teach me; walk me through; "
              "help me understand; what is the difference between; what s the difference between; difference between; "
              "erklar*; wie funktioniert; warum; wieso; was ist der unterschied; explique*; expliquez; "
              "comment fonctionne; pourquoi; quelle est la difference; explica*; como funciona; por que; "
              "cual es la diferencia; 解释; 为什么; 讲解; 原理; 説明; なぜ; 仕組み; 教えて"),
        (1.0, "what is a; what is an; what are; how can; understand; eli5; was ist; wie kann; qu est ce que; que es; "
              "什么是; 是什么; とは"),
    ),
    "write": (
        (2.0, "write a poem; write a story; write an email; write an essay; write a letter; draft*; poem; haiku; "
              "limerick; blog post; cover letter; short story; lyrics; slogan; rewrite; rephrase; proofread; polish; "
              "paraphrase; schreib*; formulier*; verfass*; gedicht; redige*; redigez; ecris; ecrivez; poeme; "
              "reformule*; escrib*; redact*; poema; reescrib*; 写一; 写篇; 撰写; 润色; 改写; 作文; 书い; 書いて; "
              "作成して; 推敲"),
        (1.5, "write; compose; essay; article; email; letter; speech; story; caption; tagline; toast; brief; lettre; "
              "carta; correo; 文章; 邮件; メール; 手紙"),
    ),
    "code": (
        (3.0, "write a function; write a script; write a program; write code; unit test*; stack trace; traceback; "
              "refactor*; regular expression; sql query; fix the bug; fix this bug; debug*; compile error; "
              "syntax error; pull request; implement a; python script; bash script; typeerror; valueerror; segfault; "
              "schreib eine funktion; ecris une fonction; escribe una funcion; 写一个函数; 写代码; 写个脚本; 编写; "
              "关数; 関数を; コードを; バグ"),
        (2.0, "code; function; implement*; python; javascript; typescript; rust; java; golang; kotlin; sql; css; "
              "html; react; regex; api endpoint; dockerfile; compile*; class that; this error; programm*; funktion; "
              "fonction; funcion; codigo; 代码; 函数; 报错; 编程; コード; 関数; 実装"),
        (1.0, "error; exception; bug; library; method; variable; script; fehler; erreur; fallo; 程序; エラー"),
    ),
    "math": (
        (3.0, "solve for; solve the equation; calculate*; compute the; integral of; derivative of; prove that; "
              "what is the probability; how many ways; find the value; square root; berechne*; lose die gleichung; "
              "beweise*; calcule*; resous; demontre*; calcula*; resuelve; demuestra; 计算出; 请计算; 计算一下; 计算; "
              "求解; 证明; 解方程; 求证; 計算; 解いて; 証明; 方程式"),
        (2.0, "equation; integral; derivative; matrix; eigenvalue*; polynomial; probability; modulo; factorial; "
              "percent of; theorem; how much is; gleichung; wahrscheinlichkeit; prozent von; combien font; cuanto es; "
              "等于多少; 概率; 积分; 確率; 積分; いくつですか"),
        (1.0, "sum of; average; remaind*; digits; prime; triangle; angle; radius; summe; somme; suma"),
    ),
    "extract": (
        (3.0, "summari*; tl dr; tldr; extract; key points; main points; list all; bullet points from; "
              "convert this to; classify*; categori*; fasse; fass; zusammenfass*; extrahier*; resume ce; resume le; "
              "resumez; extrais; resum*; extrae*; clasifica; 总结; 摘要; 提取; 概括; 归纳; 要約; 抽出; まとめて; 分類"),
        (1.0, "convert; reformat; as json; into a table; parse; pull out; keywords; label each; in eine tabelle; "
              "en tableau; en una tabla; 表格; 表にして"),
    ),
    "translate": (
        (4.0, "translat*; ubersetz*; traduis; traduire; traduisez; traduction; traduc*; traduzca; 翻译; 翻譯; 译成; "
              "翻訳; 訳して"),
        (2.0, "in german; in french; in spanish; in english; in japanese; into german; into english; into french; "
              "how do you say; auf deutsch; auf englisch; en anglais; en francais; en ingles; en espanol; 用英语; "
              "英語で; 日本語で"),
    ),
    "lookup": (
        (3.0, "capital of; who is; who was; who wrote; who invented; when did; when was; when is; what year; "
              "what time; how tall; how old; how far; population of; what s the weather; what day; phone number of; "
              "hauptstadt; wer ist; wer war; wann war; wann wurde; wie hoch; wie alt; capitale de; qui est; qui a; "
              "quand a; en quelle annee; capital de; quien es; quien fue; cuando fue; en que ano; 首都; 是谁; 哪一年; "
              "什么时候; 多高; 多少人口; 誰ですか; いつですか; 何年; 人口は"),
        (2.0, "how many; how long; how much does; where is; which country; define; definition of; meaning of; "
              "what does; stand for; wie viele; wo liegt; combien; ou se trouve; cuantos; donde esta; significado de; "
              "意思; 多少; 哪里; どこ; 意味"),
        (1.0, "what is the; what s the; was ist; quel est; quelle est; cual es"),
    ),
    "chat": (
        (3.0, "how are you; good morning; good evening; nice to meet you; thank you; thanks; tell me a joke; "
              "wie geht s; wie geht es dir; guten morgen; vielen dank; comment ca va; ca va; merci; que tal; "
              "como estas; gracias; buenos dias; 你好; 谢谢; 早上好; 讲个笑话; こんにちは; ありがとう; おはよう; 元気"),
        (2.0, "hi; hello; hey; lol; haha; great; cool; bye; hallo; danke; bonjour; salut; hola"),
    ),
    "agent": (
        (2.0, "run the tests; open the file; edit the file; commit the; push to; book a; send an email to; "
              "schedule a; click on; navigate to; log in to; install the; deploy the; create a file; delete the file; "
              "fuhre die tests aus; lance les tests; ejecuta las pruebas; 运行测试; テストを実行"),
    ),
}  # fmt: skip

DESIGN = (
    "review*; architect*; design*; trade off*; tradeoff*; scal*; approach; best practice*; entwurf*; entwirf*; "
    "conception; diseno; 架构; 设计; 設計"
)
"""Beside code, these make it a question of judgement."""
OPEN_ENDED = (
    "pros and cons; trade off*; tradeoff*; evidence; long term; strateg*; perspective*; implications; risks; "
    "considering; given that; stakeholder*; uncertain*; controvers*; what factors; how should; policy; policies; "
    "vor und nachteile; risiken; risques; riesgos; langfristig; a long terme; a largo plazo; 风险; 长期; 利弊; "
    "リスク; 長期"
)
"""These widen a question: more than one good answer."""
HARD = (
    "prove*; proof; theorem; asymptotic; optimal; distributed; concurren*; consensus algorithm; quantum; "
    "differential; stochastic; bayesian; np hard; formal verification; lock free; causal*; econometric*; "
    "pharmacokinetic*; jurisdiction*; cryptograph*; tensor; topolog*; beweis*; demontr*; demuestr*; 证明; 证毕; 量子; "
    "分布式; 証明; 分散"
)
