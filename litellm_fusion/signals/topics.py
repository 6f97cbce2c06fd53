"""The words that speak for a domain and for what is at stake. Data for `task`, in the form that `lexicon` describes."""

from __future__ import annotations

from litellm_fusion.signals.lexicon import Cues

DOMAINS: dict[str, Cues] = {
    "law": (
        (2.0, "lawsuit*; lawyer*; attorney; legal*; illegal*; statute*; court; contract law; liabilit*; tort; "
              "plaintiff; defendant; gdpr; custody; evict*; landlord; tenancy; my tenant; copyright; patent*; visa; "
              "immigration; "
              "constitution*; eu ai act; regulation*; non compete; divorce; gericht*; anwalt; klage; verklag*; "
              "rechtlich*; gesetz*; kundig*; mietvertrag; dsgvo; vertrag*; haftung; avocat; tribunal; juridique*; "
              "loi; bail; licenciement; abogad*; legales; demanda; ley; juicio; desahucio; 法律; 律师; 合同; 起诉; "
              "诉讼; 违法; 弁護士; 契約; 訴訟; 違法"),
        (1.0, "contract*; clause; rights; compliance; sue; suing; fine; police; arrest*; license; recht; clausule; "
              "droit*; derecho*; 权利; 権利"),
    ),
    "medicine": (
        (2.0, "symptom*; diagnos*; dosage; dose; doses; patient*; chest pain; ibuprofen; paracetamol; antibiotic*; "
              "cancer; tumor*; surgery; pregnan*; blood pressure; diabet*; medication*; clinical*; vaccin*; overdose; "
              "suicid*; depression; stroke; warfarin; metformin; mg; therap*; arzt; krank*; schmerz*; medikament*; "
              "schwanger*; blutdruck; symptome; medecin; douleur*; medicament*; enceinte; grossesse; maladie; medico; "
              "dolor*; embaraz*; enfermedad; sintoma*; 症状; 药; 医生; 怀孕; 癌; 血压; 治疗; 剂量; 诊断; 薬; 医者; "
              "妊娠; 症; 治療; 診断; 血圧"),
        (1.0, "doctor*; health*; pain; treatment*; disease*; side effects; fever; pills; gesundheit*; fieber; sante; "
              "salud; fiebre; 健康; 疼; 病; 痛"),
    ),
    "finance": (
        (2.0, "invest*; portfolio; mortgage; retire*; pension*; stock market; stocks; shares; bond; bonds; etf*; tax; "
              "taxes; interest rate*; inflation; valuation; hedge fund*; dividend*; ebitda; loan*; bankrupt*; "
              "life savings; central bank; 401k; ira; balance sheet; aktie*; anleihe*; steuer*; rente; kredit*; "
              "hypothek*; zins*; geldanlage; altersvorsorge; bourse; impot*; retraite; emprunt; placement; inversion; "
              "invertir; impuesto*; hipoteca; jubilacion; acciones; 投资; 股票; 贷款; 房贷; 税; 养老金; 基金; 投資; "
              "株; 住宅ローン; 年金; 税金"),
        (1.0, "budget; savings; money; debt; revenue; price; bank; market; fund; geld; argent; dinero; 钱; お金; 経済"),
    ),
    "science": (
        (2.0, "physics; chemistry; biolog*; quantum; molecul*; genom*; protein*; neuron*; climate; galaxy; galaxies; "
              "thermodynamic*; evolution; crispr; photosynth*; hypothes*; relativity; entropy; superconduct*; "
              "ecosystem*; physik; chemie; biologie; klima*; physique; chimie; climat*; fisica; quimica; clima; 物理; "
              "化学; 生物; 量子; 气候; 基因; 気候; 遺伝子"),
        (1.0, "experiment*; theory; cell; cells; energy; species; planet; studie; etude; estudio; 实验; 实験; 理论; "
              "理論"),
    ),
    "software": (
        (2.0, "python; javascript; typescript; rust; java; golang; kubernetes; docker; database*; postgres*; mongodb; "
            "mysql; "
              "redis; api; microservice*; backend; frontend; react; compiler*; algorithm*; sql; git; github; "
              "refactor*; unit test*; debug*; code; codebase; repository; kafka; regex; devops; stack trace; "
              "traceback; monolith; software*; programmier*; datenbank*; logiciel; base de donnees; programacion; "
              "base de datos; 代码; 数据库; 编程; 软件; 函数; 微服务; 服务器; コード; データベース; プログラ; "
              "ソフトウェア; サーバー; マイクロサービス"),
        (1.0, "function; bug; server; cloud; latency; deploy*; script; class; async; library; framework; funktion; "
              "fonction; funcion; 程序; 関数"),
    ),
}  # fmt: skip

STAKES: Cues = (
    (0.45, "chest pain; overdose*; suicid*; kill myself; can t breathe; gas leak; carbon monoxide; swallowed a; "
           "poison*; "
           "self harm; stroke; anaphyla*; bleeding; brustschmerz*; vergift*; selbstmord; surdose; "
           "douleur a la poitrine; envenen*; sobredosis; dolor en el pecho; 胸痛; 自杀; 中毒; 煤气; 自殺; ガス漏れ"),
    (0.3, "dosage; dose; mg; pregnan*; surgery; warfarin; interact with; drug interaction*; life savings; retirement; "
          "mortgage; bankrupt*; custody; divorce; lawsuit; sued; suing; sue; evict*; arrest*; deport*; immigration; "
          "criminal; got fired; terminat*; inherit*; high voltage; electrical panel; structural*; load bearing; "
          "can i take; safe to take; is it safe to; chemotherapy; cancer; tumor*; insulin; medication*; "
          "blood pressure; tax audit; liabilit*; non compete; schwanger*; operation; medikament*; kundig*; hypothek*; "
          "altersvorsorge; verklag*; sorgerecht; krebs; blutdruck; enceinte; licenciement; hipoteca; despid*; "
          "despedid*; embaraz*; cancer; demanda; divorcio; medicament*; retraite; 怀孕; 剂量; 起诉; 离婚; 癌; 房贷; "
          "养老金; 手术; 解雇; 血压; 妊娠; 薬; 訴え; 離婚; がん; 住宅ローン; 手術; 血圧"),
    (0.12, "invest*; loan*; tax; taxes; contract*; legal*; lawyer; symptom*; diagnos*; treatment*; pain; patient*; "
           "safety; compliance; regulation*; anwalt; steuer*; schmerz*; aktie*; kredit*; vertrag*; arzt; avocat; "
           "medecin; impot*; contrat*; abogad*; impuesto*; contrato*; medico; 投资; 合同; 律师; 药; 医生; 税; 法律; "
           "投資; 契約; 弁護士; 症状; 医者"),
)  # fmt: skip
PERSONAL = (
    "my; i; me; we; our; i m; mein; meine; meiner; meinen; meinem; ich; wir; unser*; mon; ma; mes; je; j ai; nous; "
    "notre; mi; mis; yo; nuestro*; tengo; 我; 我们; 私; うち; 僕"
)
"""A consequence for the one who asks weighs more than a topic."""
