"""The words of the association: what each field, closed-list value, kind, command and happening is called.

The contract's English names are for programs; clerks read and write these. A word says the same thing in every
service; where one command or kind means something narrower, that is said apart (`FIELDS_OF`, `VALUES_OF`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

from services.contract.district import DISTRICTS

Language = Literal["zh", "en"]


@dataclass(frozen=True)
class Word:
    """What a thing is called in both languages, and what else people write for it."""

    zh: str
    en: str
    also: tuple[str, ...] = ()

    def said(self, language: Language = "zh") -> str:
        return self.zh if language == "zh" else self.en

    @property
    def all(self) -> tuple[str, ...]:
        return (self.zh, self.en, *self.also)


def _words(said: Mapping[str, tuple[str, ...]]) -> Mapping[str, Word]:
    return MappingProxyType({name: Word(zh, en, tuple(also)) for name, (zh, en, *also) in said.items()})


FIELDS = _words(
    {
        # every record and every version of it
        "id": ("编号", "Id"),
        "version": ("版本", "Version"),
        "state": ("状态", "State"),
        "service": ("业务系统", "Service"),
        "kind": ("记录种类", "Kind"),
        "happened": ("事项", "Happening"),
        "time": ("时间", "Time"),
        "actor": ("经办人", "Actor"),
        "cause": ("起因", "Cause"),
        "district": ("县（市、区）", "District", "县市区", "区县", "县区", "所属区县", "所属县市区", "地区"),
        "name": ("名称", "Name"),
        "title": ("题目", "Title"),
        "reason": ("理由", "Reason", "原因"),
        "note": ("备注", "Note", "说明"),
        "capacity": ("容纳人数", "Capacity"),
        "person_id": ("人员编号", "Person id"),
        "phone": ("联系电话", "Phone", "电话"),
        "on": ("办理日期", "Date"),
        # awards
        "result_id": ("获奖编号", "External result id"),
        "series": ("赛事", "Contest series"),
        "level": ("级别", "Level"),
        "edition_no": ("届次", "Edition number"),
        "category": ("项目类别", "Category"),
        "award_kind": ("奖项种类", "Kind of award"),
        "grade": ("等级", "Grade", "获奖等级"),
        "first_entrant": ("第一作者", "First entrant"),
        "awarded_on": ("获奖日期", "Awarded on"),
        "document_no": ("文号", "Document number"),
        "document_sha256": ("证书文件摘要", "SHA-256 of the document"),
        "document_url": ("证书网址", "Address of the document"),
        "entry_id": ("申报项目编号", "Entry id"),
        "edition_id": ("评选届编号", "Edition id"),
        "programme_kind": ("评选项目", "Programme"),
        "host_org_id": ("承办单位编号", "Host organisation id"),
        "submit_from": ("申报开始日期", "Submissions from"),
        "submit_to": ("申报截止日期", "Submissions to"),
        "judge_from": ("评审开始日期", "Judging from"),
        "judge_to": ("评审结束日期", "Judging to"),
        "rounds": ("评审轮次", "Rounds of judging"),
        "round_no": ("轮次", "Round"),
        "advance_percent": ("入围比例", "Share that goes on"),
        "disagreement": ("分歧阈值", "Disagreement"),
        "round_id": ("评审轮次编号", "Round id"),
        "is_last": ("末轮", "Last round"),
        "entry_count": ("项目数", "Number of entries"),
        "started_on": ("评审开始日", "Started on"),
        "closed_on": ("评审结束日", "Closed on"),
        "inputs_hash": ("评分数据摘要", "Hash of the scores"),
        "advanced_ids": ("入围项目编号", "Entries that go on"),
        "eliminated_count": ("淘汰项目数", "Number of eliminated entries"),
        "order": ("表决次序", "Order voted for"),
        "minute_no": ("会议纪要编号", "Number of the minute"),
        "score_count": ("评分份数", "Number of scores"),
        "raw_mean": ("原始平均分", "Raw mean"),
        "adjusted": ("标准化得分", "Adjusted score"),
        "stdev": ("标准差", "Standard deviation"),
        "spread": ("极差", "Spread"),
        "unadjusted_count": ("未标准化评委数", "Judges not evened out"),
        "disputed": ("分歧较大", "Disputed"),
        "rank": ("名次", "Rank"),
        "decided_by": ("排序依据", "Decided by"),
        "advances": ("入围", "Goes on"),
        "work_from": ("作品完成（发表）起始日期", "Works from"),
        "work_to": ("作品完成（发表）截止日期", "Works to"),
        "categories": ("参评类别", "Categories"),
        "category_code": ("类别代码", "Category code"),
        "participation": ("参评形式", "Participation"),
        "max_team": ("团队人数上限", "Largest team"),
        "blind": ("盲评", "Blind"),
        "min_scores": ("最少评分数", "Fewest scores"),
        "rubric": ("评分标准", "Rubric"),
        "criterion_code": ("评分项代码", "Criterion code"),
        "weight": ("权重", "Weight"),
        "max": ("满分", "Full points"),
        "step": ("分值步长", "Step"),
        "required": ("必评", "Required"),
        "independent": ("独立评分项", "Independent"),
        "quotas": ("奖励名额", "Quotas of prizes"),
        "places": ("名额", "Places"),
        "percent": ("比例", "Share"),
        "nomination_quotas": ("推荐名额", "Quotas of nominations"),
        "nominating_unit_id": ("推荐单位编号", "Nominating unit id"),
        "award_cap_percent": ("总获奖率上限", "Cap of all awards"),
        "tie_break": ("并列排序规则", "Steps against ties"),
        "tie_policy": ("名额并列处理", "Ties at a quota"),
        "normalisation": ("评分标准化方法", "Normalisation"),
        "publicity_days": ("公示天数", "Publicity period"),
        "publicity_unit": ("公示期计算方式", "Unit of the publicity period"),
        "revocation_days": ("撤销期限", "Revocation period"),
        "one_entry_each": ("每人限报一项", "One entry each"),
        "same_place": ("团队限同一县（市、区）", "Team of one district"),
        "same_stage": ("团队限同一学段", "Team of one stage"),
        "entrants": ("申报人", "Entrants"),
        "entrant_count": ("申报人数", "Number of entrants"),
        "person_ref": ("申报人编号", "Entrant's person id"),
        "unit_id": ("所在单位编号", "Unit id"),
        "stage": ("学段", "Stage of school"),
        "minor": ("有未成年人", "Minor"),
        "consent_ref": ("监护人同意书编号", "Guardian's consent"),
        "tutor_refs": ("辅导教师编号", "Tutors' person ids"),
        "attachments": ("附件", "Attachments"),
        "attachment_kind": ("附件种类", "Kind of attachment"),
        "sha256": ("文件摘要", "SHA-256"),
        "originality_signed_on": ("原创性签字日期", "Originality signed on"),
        "work_on": ("作品完成（发表）日期", "Work finished or published on"),
        "submitted_on": ("申报日期", "Submitted on"),
        "correct_by": ("补正期限", "Correct by"),
        "eligible": ("资格合格", "Eligible"),
        "shortcomings": ("不合格情形", "Shortcomings"),
        "similarity": ("标题相似度", "Similarity"),
        "similar_entry_id": ("最相似的申报项目编号", "Most similar entry's id"),
        "prior_entry_ids": ("往届申报项目编号", "Prior entries' ids"),
        "award_id": ("奖项编号", "Award id"),
        "subject_type": ("授奖对象类型", "Type of subject"),
        "subject_id": ("授奖对象编号", "Subject id"),
        "person_ids": ("获奖人员编号", "Winners' person ids"),
        "org_ids": ("获奖单位编号", "Winning organisations' ids"),
        "granted_on": ("授奖日期", "Granted on"),
        "certificate_no": ("证书编号", "Certificate number"),
        "names": ("证书姓名", "Names on the certificate"),
        "issued_on": ("证书制发日期", "Certificate issued on"),
        "youth": ("青少年奖项", "Youth award"),
        "exhibition_consent": ("同意展出", "Consent to exhibition"),
        "consent_withdrawn_on": ("撤回展出同意日期", "Consent withdrawn on"),
        "reason_code": ("撤销原因", "Reason of the revocation"),
        "revoked_on": ("撤销日期", "Revoked on"),
        # members
        "organisation_id": ("组织编号", "Organisation id"),
        "organisation_kind": ("组织类型", "Kind of organisation"),
        "institution_id": ("依托单位编号", "Institution id"),
        "parent_id": ("上级组织编号", "Parent organisation id"),
        "workers_count": ("科技工作者人数", "S&T workers"),
        "approval_doc_no": ("批复文号", "Approval document number"),
        "founding_meeting_on": ("成立大会日期", "Founding meeting on"),
        "established_on": ("成立日期", "Established on"),
        "held_on": ("举办日期", "Held on"),
        "called": ("应到人数", "Called"),
        "attended": ("实到人数", "Attended"),
        "minutes_doc": ("会议纪要", "Minutes"),
        "charter_doc": ("章程", "Charter"),
        "chair_person_id": ("主席人员编号", "Chair's person id"),
        "holder_type": ("荣誉主体类型", "Type of holder"),
        "holder_id": ("荣誉主体编号", "Holder id"),
        "withdrawn_on": ("荣誉撤销日期", "Honour withdrawn on"),
        # outreach
        "campaign_id": ("品牌活动编号", "Campaign id"),
        "campaign_kind": ("品牌活动", "Kind of campaign"),
        "theme": ("主题", "Theme"),
        "year": ("年度", "Year"),
        "starts_on": ("开始日期", "Starts on"),
        "ends_on": ("结束日期", "Ends on"),
        "counts_for_k2": ("计入科普人次", "Counts for K2"),
        "activity_id": ("活动编号", "Activity id"),
        "format": ("活动形式", "Format"),
        "delivery": ("举办方式", "Delivery"),
        "lead_org_id": ("主办单位编号", "Lead organisation id"),
        "co_org_ids": ("协办单位编号", "Co-organisers' ids"),
        "days": ("活动日期", "Days"),
        "key_groups": ("重点人群", "Key groups"),
        "slots": ("时段", "Slots"),
        "frozen_through": ("数据定稿截止日", "Frozen through"),
        "venue_id": ("场地编号", "Venue id"),
        "venue_kind": ("场地类型", "Kind of venue"),
        "venue_suspended": ("场地已停用", "Venue suspended"),
        "service_point_id": ("所属服务站点编号", "Service point of the venue"),
        "count_id": ("人次记录编号", "Audience count id"),
        "by_count_id": ("取代它的人次记录编号", "Id of the count in its place"),
        "superseded_by": ("已由人次记录取代", "Superseded by"),
        "day": ("日期", "Day"),
        "mode": ("参与方式", "Mode", "线上线下"),
        "method": ("统计方法", "Method", "统计方式"),
        "person_times": ("人次", "Person-times", "人次数", "参与人次", "受众人次"),
        "minors": ("未成年人人次", "Minors", "其中未成年人", "其中：未成年人", "未成年人"),
        "handouts": ("发放资料", "Handouts", "发放资料份数"),
        "consultations": ("咨询人次", "Consultations"),
        "evidence_id": ("佐证材料摘要", "Evidence id (SHA-256)"),
        "evidence_ids": ("佐证材料", "Evidence"),
        "evidence_kind": ("佐证类型", "Kind of evidence"),
        "taken_on": ("拍摄（形成）日期", "Taken on", "拍摄日期", "形成日期"),
        "place": ("地点", "Place"),
        # rural
        "association_id": ("农技协编号", "Association id"),
        "industry": ("产业", "Industry"),
        "township_code": ("乡镇（街道）代码", "Township code", "乡镇代码", "街道代码"),
        "registration_kind": ("登记种类", "Kind of registration"),
        "first_registered_on": ("首次登记（备案）日期", "First registered on"),
        "registration_no": ("民政登记号", "Registration number"),
        "registered_on": ("登记日期", "Registered on"),
        "filing_no": ("备案号", "Filing number"),
        "filed_on": ("备案日期", "Filed on"),
        "members_count": ("会员人数", "Members"),
        "households": ("带动农户", "Households", "带动农户数"),
        "predecessor_ids": ("前身协会编号", "Predecessors' ids"),
        "leader_person_id": ("负责人人员编号", "Leader's person id"),
        "is_new": ("新建", "New"),
        "into_id": ("并入的农技协编号", "Id of the association it joins"),
        "merged_into": ("已并入农技协", "Merged into"),
        "point_id": ("站点编号", "Service point id"),
        "village_code": ("村（社区）代码", "Village code", "村代码", "社区代码"),
        "host_id": ("承建单位编号", "Host id"),
        "station": ("服务站", "Station"),
        "column": ("宣传栏", "Column"),
        "officer": ("宣传员", "Officer"),
        "part": ("站栏员", "Part", "站、栏、员"),
        "parts_accepted": ("已验收数", "Parts accepted"),
        "accepted_on": ("验收日期", "Accepted on"),
        "completed_on": ("建成日期", "Completed on"),
        "content_on": ("栏目更新日期", "Content of the column on"),
        "photo_ids": ("照片", "Photos"),
        "months": ("无活动月数", "Months without activity"),
        "grant_id": ("资金项目编号", "Grant id"),
        "source_level": ("资金来源", "Source of the money"),
        "issuer_level": ("发文机关级别", "Level of the issuer"),
        "approved_fen": ("批准金额", "Approved amount"),
        "approved_on": ("批准日期", "Approved on"),
        "decision_doc_no": ("批准文号", "Decision document number"),
        "original_doc_no": ("原始文号", "Original document number"),
        "vouchers": ("到账凭证", "Vouchers"),
        "voucher_no": ("凭证号", "Voucher number"),
        "fen": ("金额", "Amount"),
        "returned_fen": ("退回金额", "Returned amount"),
        "net_fen": ("净到账金额", "Net amount"),
        "received_on": ("到账日期", "Received on"),
    }
)  # fmt: skip
"""Every field of every view and command; no two share a word."""

FIELDS_OF: Mapping[str, Mapping[str, Word]] = MappingProxyType(
    {
        "awards.submit_entry": _words({"title": ("项目名称", "Title of the entry", "作品名称", "论文题目")}),
        "awards.report_external_result": _words({"title": ("作品名称", "Title of the work", "项目名称")}),
        "members.create_organisation": _words({"name": ("组织名称", "Name of the organisation")}),
        "members.hold_founding_meeting": _words({"held_on": ("成立大会日期", "Founding meeting on")}),
        "outreach.create_activity": _words({"title": ("活动名称", "Title of the activity")}),
        "outreach.register_venue": _words({"name": ("场地名称", "Name of the venue")}),
        "rural.prepare_association": _words({"name": ("协会名称", "Name of the association", "农技协名称")}),
        "rural.plan_point": _words({"name": ("站点名称", "Name of the service point")}),
        "rural.operate_part": _words({"on": ("运行日期", "Operated on")}),
        "rural.recheck_part": _words({"on": ("复查日期", "Rechecked on")}),
        "rural.check_point": _words({"on": ("检查日期", "Checked on")}),
        "rural.receive_funds": _words({"fen": ("到账金额", "Amount received")}),
        "rural.return_funds": _words({"fen": ("退回金额", "Amount returned")}),
    }
)
"""What a field is called in one command or kind only."""

UNITS = _words(
    {
        "capacity": ("人", "people"),
        "workers_count": ("人", "people"),
        "called": ("人", "people"),
        "attended": ("人", "people"),
        "members_count": ("人", "people"),
        "households": ("户", "households"),
        "person_times": ("人次", "person-times"),
        "minors": ("人次", "person-times"),
        "consultations": ("人次", "person-times"),
        "handouts": ("份", "copies"),
        "months": ("个月", "months", "月"),
        "edition_no": ("届", "edition"),
        "award_cap_percent": ("%", "%"),
        "percent": ("%", "%"),
        "advance_percent": ("%", "%"),
        "disagreement": ("分", "points"),
        "similarity": ("%", "%"),
        "publicity_days": ("天", "days"),
        "revocation_days": ("天", "days"),
        "entrant_count": ("人", "people"),
        "max_team": ("人", "people"),
        "approved_fen": ("元", "yuan"),
        "fen": ("元", "yuan"),
        "returned_fen": ("元", "yuan"),
        "net_fen": ("元", "yuan"),
    }
)
"""What people count a number in. Programs say money in fen, people in yuan."""

VALUES = _words(
    {
        "true": ("是", "Yes", "true", "对", "√", "✓"),
        "false": ("否", "No", "false", "×"),
        # states
        "closing": ("结算中", "Closing"),
        "standing": ("有效", "Standing"),
        "void": ("已作废", "Void"),
        "archived": ("已归档", "Archived"),
        "awarded": ("已获奖", "Awarded"),
        "deliberation": ("终审中", "Deliberation"),
        "eliminated": ("已淘汰", "Eliminated"),
        "granted": ("已授奖", "Granted"),
        "in_review": ("评审中", "In review"),
        "judging": ("评审阶段", "Judging"),
        "not_awarded": ("未获奖", "Not awarded"),
        "on_hold": ("异议处理中", "On hold"),
        "on_publicity": ("公示中", "On publicity"),
        "proposed": ("拟定", "Proposed"),
        "publicity": ("公示阶段", "Publicity period"),
        "shortlisted": ("已入围", "Shortlisted"),
        "active": ("活跃", "Active"),
        "applied": ("已申请", "Applied"),
        "approved": ("已批准", "Approved"),
        "attached": ("已附", "Attached"),
        "announced": ("已发布", "Announced"),
        "available": ("可用", "Available"),
        "cancelled": ("已取消", "Cancelled"),
        "closed": ("已结束", "Closed"),
        "collecting": ("申报中", "Collecting"),
        "complete": ("齐全", "Complete"),
        "disqualified": ("已取消资格", "Disqualified"),
        "dissolved": ("已撤销", "Dissolved"),
        "dormant": ("休眠", "Dormant"),
        "draft": ("草稿", "Draft"),
        "eligibility": ("资格审查中", "Eligibility check"),
        "eligible": ("资格合格", "Eligible"),
        "established": ("已成立", "Established"),
        "filed": ("已备案", "Filed"),
        "held": ("已举办", "Held"),
        "incomplete": ("不齐", "Incomplete"),
        "ineligible": ("资格不合格", "Ineligible"),
        "lapsed": ("已失效", "Lapsed"),
        "merged": ("已合并", "Merged"),
        "not_reported": ("逾期未报", "Not reported"),
        "ongoing": ("进行中", "Ongoing"),
        "open": ("进行中", "Open"),
        "preparing": ("筹备中", "Preparing"),
        "received": ("已到账", "Received"),
        "recorded": ("已填报", "Recorded"),
        "registered": ("已登记", "Registered"),
        "rejected": ("未通过", "Rejected"),
        "removed": ("已移除", "Removed"),
        "reported": ("已上报", "Reported"),
        "returned": ("已退回", "Returned"),
        "revoked": ("已撤销", "Revoked"),
        "scheduled": ("已安排", "Scheduled"),
        "submitted": ("已提交", "Submitted"),
        "superseded": ("已被取代", "Superseded"),
        "suspended": ("已停用", "Suspended"),
        "verified": ("已核实", "Verified"),
        "withdrawn": ("已撤回", "Withdrawn"),
        "planned": ("已规划", "Planned"),
        "built": ("已建", "Built"),
        "accepted": ("已验收", "Accepted"),
        "operating": ("运行中", "Operating"),
        # awards
        "youth_contest": ("青少年科技创新大赛", "Youth S&T innovation contest", "青创赛"),
        "other": ("其他", "Other", "其它"),
        "national": ("国家级", "National", "国家", "全国"),
        "province": ("省级", "Province", "省", "provincial"),
        "innovation_project": ("科技创新成果", "Innovation project"),
        "science_fantasy_painting": ("科幻画", "Science-fantasy painting", "少儿科幻画", "科学幻想绘画"),
        "practice_activity": ("科技实践活动", "Science practice activity"),
        "science_idea": ("科技创意", "Science idea"),
        "science_film": ("科学影像", "Science film"),
        "tutor_innovation": ("辅导员创新项目", "Tutor's innovation"),
        "graded": ("等级奖", "Graded prize"),
        "special": ("专项奖", "Special prize"),
        "organisation": ("优秀组织奖", "Excellent organisation"),
        "tutor": ("优秀科技辅导员", "Excellent tutor", "十佳优秀科技辅导员"),
        "commendation": ("表彰", "Commendation"),
        "entry": ("申报项目", "Entry"),
        "person": ("个人", "Person"),
        "fraud": ("弄虚作假", "Fraud"),
        "plagiarism": ("抄袭剽窃", "Plagiarism"),
        "error": ("评审或登记有误", "Error"),
        "first": ("一等奖", "First prize", "一等"),
        "second": ("二等奖", "Second prize", "二等"),
        "third": ("三等奖", "Third prize", "三等"),
        "none": ("无等级", "No grade", "无", "不分等级"),
        "paper": ("优秀科技论文评选", "Paper evaluation", "科技论文评选", "论文评选"),
        "golden_bridge": ("金桥工程", "Golden Bridge Project"),
        "youth": ("市级青少年科技创新大赛", "Youth contest"),
        "jiangbi": ("讲理想、比贡献", "Ideals and contribution", "讲比"),
        "home": ("科技工作者之家", "Home of S&T Workers"),
        "worker": ("优秀科协工作者", "Outstanding association worker"),
        "individual": ("个人", "Individual"),
        "team": ("集体", "Team"),
        "primary": ("小学", "Primary school", "小学组"),
        "junior": ("初中", "Junior high school", "初中组"),
        "senior": ("高中", "Senior high school", "高中组"),
        "signed_form": ("签字盖章的申报表", "Signed and sealed form"),
        "work": ("作品", "Work"),
        "proof": ("证明材料", "Proof"),
        "unsigned": ("未签字盖章", "Unsigned"),
        "wrong_category": ("类别不符", "Wrong category"),
        "unfit_entrant": ("申报人不符合条件", "Unfit entrant"),
        "consent_missing": ("缺监护人同意书", "Consent missing"),
        "awarded_before": ("往届已获奖", "Awarded before"),
        "copied": ("抄袭或雷同", "Copied"),
        "mean": ("平均分", "Mean"),
        "trimmed_mean": ("去掉最高最低分的平均分", "Trimmed mean"),
        "median": ("中位数", "Median"),
        "z_global": ("标准分", "Standard score"),
        "adjusted_mean": ("标准化平均分", "Adjusted mean"),
        "criterion": ("指定评分项", "A criterion"),
        "first_ranks": ("第一名次数", "Number of first ranks"),
        "lower_stdev": ("标准差较小", "Lower standard deviation"),
        "committee": ("评委会表决", "Vote of the committee"),
        "expand": ("扩大名额", "Expand the quota"),
        "shrink": ("缩减名额", "Shrink the quota"),
        "calendar": ("自然日", "Calendar days"),
        "working": ("工作日", "Working days"),
        # members
        "society": ("学会（协会、研究会）", "Learned society", "学会", "协会", "研究会"),
        "county_ast": ("县（市、区）科协", "County association", "县科协", "区科协", "市科协", "县级科协"),
        "enterprise": ("企业科协", "Enterprise association"),
        "university": ("高校科协", "University association"),
        "street_township": ("街道（乡镇）科协", "Street or township association", "街道科协", "乡镇科协"),
        "park": ("园区科协", "Park association"),
        "hospital": ("医院科协", "Hospital association"),
        # outreach
        "spring": ("科普之春", "Spring of Science Popularisation", "科普之春活动月"),
        "st_week": ("科技周", "Science and Technology Week", "科技活动周"),
        "nsp_day": ("全国科普日", "National Science Popularisation Day", "科普日"),
        "members_day": ("科协会员日", "Members' Day", "会员日"),
        "commemorative": ("纪念日", "Commemorative day"),
        "plaza": ("广场活动", "Plaza event"),
        "lecture": ("宣讲", "Lecture", "讲座", "报告会"),
        "exhibition": ("展览", "Exhibition"),
        "visit": ("参观", "Visit"),
        "contest": ("竞赛", "Contest"),
        "training": ("培训", "Training"),
        "consultation": ("咨询", "Consultation"),
        "open_day": ("开放日", "Open day"),
        "on_site": ("现场", "On site"),
        "online": ("线上", "Online"),
        "offline": ("线下", "Offline"),
        "both": ("线上线下结合", "Both"),
        "minors": ("未成年人", "Minors"),
        "farmers": ("农民", "Farmers"),
        "urban": ("城镇劳动人口", "Urban workers and residents", "城镇居民"),
        "cadres": ("领导干部和公务员", "Cadres", "领导干部", "公务员"),
        "morning": ("上午", "Morning"),
        "afternoon": ("下午", "Afternoon"),
        "evening": ("晚上", "Evening"),
        "scan": ("扫码", "Scan"),
        "sign_in": ("签到", "Sign-in"),
        "headcount": ("清点", "Headcount", "人工清点"),
        "turnstile": ("闸机", "Turnstile"),
        "estimate": ("估算", "Estimate"),
        "report": ("上报", "Report"),
        "photo": ("照片", "Photo"),
        "sign_sheet": ("签到表", "Sign-in sheet"),
        "video": ("视频", "Video"),
        "press": ("新闻报道", "Press report"),
        "letter": ("证明函", "Letter"),
        "community": ("社区", "Community"),
        "school": ("学校", "School"),
        "station": ("服务站", "Station"),
        "site": ("科普基地", "Site"),
        "hall": ("场馆", "Hall"),
        # rural
        "civil": ("民政登记", "Civil-affairs registration"),
        "filing": ("备案", "Filing"),
        "column": ("宣传栏", "Column"),
        "officer": ("宣传员", "Officer"),
        "central": ("中央", "Central"),
        "city": ("市级", "City", "市"),
        "county": ("县级", "County", "县", "区"),
        "own": ("自筹", "Own funds"),
    }
)  # fmt: skip
"""Every word of every closed list."""

VALUES_OF: Mapping[str, Mapping[str, Word]] = MappingProxyType(
    {
        "source_level": _words({"province": ("省级", "Province", "省"), "central": ("中央", "Central", "国家")}),
        "venue_kind": _words({"plaza": ("广场", "Plaza"), "station": ("惠农服务站", "Service station", "服务站")}),
        "delivery": _words({"on_site": ("线下", "On site", "现场")}),
        "part": _words(
            {
                "station": ("站", "Station", "服务站"),
                "column": ("栏", "Column", "宣传栏", "科普宣传栏"),
                "officer": ("员", "Officer", "宣传员", "科普宣传员"),
            }
        ),
        "participation": _words({"organisation": ("单位", "Organisation")}),
        "subject_type": _words({"organisation": ("单位", "Organisation")}),
        "holder_type": _words({"organisation": ("单位", "Organisation")}),
        "shortcomings": _words({"incomplete": ("材料不全", "Incomplete")}),
        "awards.edition.state": _words({"planned": ("已计划", "Planned")}),
        "awards.entry.state": _words({"returned": ("待补正", "Returned")}),
        "awards.external_result.state": _words({"reported": ("已申报", "Reported")}),
        "members.organisation.state": _words({"approved": ("已批复", "Approved")}),
        "outreach.activity.state": _words({"closed": ("已归档", "Closed")}),
        "rural.association.state": _words(
            {
                "active": ("正常活动", "Active"),
                "suspended": ("已中止", "Suspended"),
                "dissolved": ("已注销", "Dissolved"),
            }
        ),
    }
)
"""What a value is called in one field only, or in one kind's state."""

KINDS = _words(
    {
        "awards.award": ("奖项", "Award"),
        "awards.edition": ("评选届次", "Edition"),
        "awards.entry": ("申报项目", "Entry"),
        "awards.round": ("评审轮次", "Round"),
        "awards.entry_result": ("项目评审结果", "Entry result"),
        "awards.external_result": ("外部获奖", "External result"),
        "members.honour": ("荣誉", "Honour"),
        "members.organisation": ("科协组织", "Organisation"),
        "outreach.campaign": ("品牌活动", "Campaign"),
        "outreach.activity": ("科普活动", "Activity"),
        "outreach.audience_count": ("科普人次", "Audience count"),
        "outreach.evidence": ("佐证材料", "Evidence"),
        "outreach.exhibit_candidate": ("展品候选", "Exhibit candidate"),
        "outreach.venue": ("活动场地", "Venue"),
        "rural.association": ("农村专业技术协会", "Rural association", "农技协"),
        "rural.service_point": ("科普惠农服务站点", "Service point"),
        "rural.fund_grant": ("资金项目", "Fund grant"),
        "rural.fund_receipt": ("到账资金", "Fund receipt"),
    }
)

SERVICES = _words(
    {
        "awards": ("评选表彰", "Awards"),
        "members": ("组织建设", "Members"),
        "outreach": ("科学普及", "Outreach"),
        "rural": ("科普惠农", "Rural"),
    }
)

COMMANDS = _words(
    {
        "awards.create_edition": ("新建评选届次", "Create an edition"),
        "awards.revise_edition": ("修订评选规则", "Revise the rules of an edition"),
        "awards.announce_edition": ("发布评选通知", "Announce an edition"),
        "awards.open_edition": ("开始申报", "Open an edition"),
        "awards.close_edition": ("截止申报", "Close an edition"),
        "awards.archive_edition": ("评选届次归档", "Archive an edition"),
        "awards.cancel_edition": ("取消评选届次", "Cancel an edition"),
        "awards.submit_entry": ("提交申报", "Submit an entry"),
        "awards.return_entry": ("退回申报补正", "Return an entry"),
        "awards.resubmit_entry": ("重新提交申报", "Resubmit an entry"),
        "awards.start_round": ("开始评审", "Start a round"),
        "awards.resolve_tie": ("裁定并列", "Resolve a tie"),
        "awards.close_round": ("结束评审", "Close a round"),
        "awards.reopen_round": ("重开评审", "Reopen a round"),
        "awards.check_eligibility": ("资格审查", "Check the eligibility of an entry"),
        "awards.withdraw_entry": ("撤回申报", "Withdraw an entry"),
        "awards.disqualify_entry": ("取消申报资格", "Disqualify an entry"),
        "awards.issue_certificate": ("制发证书", "Issue a certificate"),
        "awards.withdraw_exhibition_consent": ("撤回展出同意", "Withdraw the consent to exhibition"),
        "awards.revoke_award": ("撤销奖项", "Revoke an award"),
        "awards.report_external_result": ("申报外部获奖", "Report an external result"),
        "awards.verify_external_result": ("核实外部获奖", "Verify an external result"),
        "awards.reject_external_result": ("退回外部获奖", "Reject an external result"),
        "awards.revoke_external_result": ("撤销外部获奖", "Revoke an external result"),
        "members.create_organisation": ("筹建科协组织", "Create an organisation"),
        "members.apply_organisation": ("申请成立科协组织", "Apply for an organisation"),
        "members.approve_organisation": ("批复科协组织", "Approve an organisation"),
        "members.hold_founding_meeting": ("召开成立大会", "Hold the founding meeting"),
        "members.establish_organisation": ("确认科协组织成立", "Establish an organisation"),
        "members.activate_organisation": ("启用科协组织", "Activate an organisation"),
        "members.sleep_organisation": ("科协组织转入休眠", "Put an organisation to sleep"),
        "members.wake_organisation": ("恢复休眠的科协组织", "Wake an organisation"),
        "members.set_parent": ("调整上级组织", "Set the parent organisation"),
        "members.dissolve_organisation": ("撤销科协组织", "Dissolve an organisation"),
        "outreach.open_campaign": ("启动品牌活动", "Open a campaign"),
        "outreach.close_campaign": ("结束品牌活动", "Close a campaign"),
        "outreach.register_venue": ("登记活动场地", "Register a venue"),
        "outreach.create_activity": ("新建科普活动", "Create an activity"),
        "outreach.schedule_activity": ("安排科普活动", "Schedule an activity"),
        "outreach.move_activity": ("调整活动场地", "Move an activity"),
        "outreach.start_activity": ("开始科普活动", "Start an activity"),
        "outreach.finish_activity": ("完成科普活动", "Finish an activity"),
        "outreach.mark_not_reported": ("标记逾期未报", "Mark an activity as not reported"),
        "outreach.report_activity": ("上报科普活动", "Report an activity"),
        "outreach.verify_activity": ("核实科普活动", "Verify an activity"),
        "outreach.close_activity": ("科普活动归档", "Close an activity"),
        "outreach.cancel_activity": ("取消科普活动", "Cancel an activity"),
        "outreach.attach_evidence": ("上传佐证材料", "Attach evidence"),
        "outreach.record_count": ("填报科普人次", "Record an audience count"),
        "outreach.approve_count": ("批准科普人次", "Approve an audience count"),
        "outreach.verify_count": ("核实科普人次", "Verify an audience count"),
        "outreach.reject_count": ("退回科普人次", "Reject an audience count"),
        "outreach.correct_count": ("更正科普人次", "Correct an audience count"),
        "outreach.supersede_count": ("取代科普人次", "Supersede an audience count"),
        "rural.prepare_association": ("筹建农技协", "Prepare an association"),
        "rural.file_association": ("农技协备案", "File an association"),
        "rural.register_association": ("农技协民政登记", "Register an association"),
        "rural.activate_association": ("启用农技协", "Activate an association"),
        "rural.suspend_association": ("中止农技协", "Suspend an association"),
        "rural.dissolve_association": ("注销农技协", "Dissolve an association"),
        "rural.merge_associations": ("合并农技协", "Merge associations"),
        "rural.plan_point": ("规划服务站点", "Plan a service point"),
        "rural.build_part": ("建设站栏员", "Build a part"),
        "rural.accept_part": ("验收站栏员", "Accept a part"),
        "rural.operate_part": ("站栏员投入运行", "Operate a part"),
        "rural.lapse_part": ("站栏员失效", "Let a part lapse"),
        "rural.recheck_part": ("复查站栏员", "Recheck a part"),
        "rural.check_point": ("检查服务站点", "Check a service point"),
        "rural.approve_grant": ("登记资金批准", "Approve a grant"),
        "rural.receive_funds": ("登记资金到账", "Receive funds"),
        "rural.return_funds": ("登记资金退回", "Return funds"),
    }
)  # fmt: skip

HAPPENINGS = _words(
    {
        "absorbed": ("并入其他协会", "Absorbed"),
        "accepted": ("验收", "Accepted"),
        "activated": ("启用", "Activated"),
        "announced": ("发布通知", "Announced"),
        "applied": ("申请", "Applied"),
        "approved": ("批准", "Approved"),
        "archived": ("归档", "Archived"),
        "attached": ("上传", "Attached"),
        "awarded": ("获奖", "Awarded"),
        "built": ("建设", "Built"),
        "cancelled": ("取消", "Cancelled"),
        "closed": ("结束", "Closed"),
        "closing": ("停止评分", "Closing"),
        "completed": ("建成成套", "Completed"),
        "computed": ("计算结果", "Computed"),
        "consent_withdrawn": ("撤回展出同意", "Consent withdrawn"),
        "corrected": ("更正", "Corrected"),
        "created": ("新建", "Created"),
        "decided": ("作出资格审查结论", "Decided"),
        "deliberated": ("进入终审", "Deliberated"),
        "detached": ("脱离上级", "Detached"),
        "disqualified": ("取消资格", "Disqualified"),
        "dissolved": ("撤销（注销）", "Dissolved"),
        "eliminated": ("淘汰", "Eliminated"),
        "established": ("成立", "Established"),
        "filed": ("备案", "Filed"),
        "flagged": ("标记场地停用", "Flagged"),
        "founded": ("召开成立大会", "Founded"),
        "granted": ("授奖", "Granted"),
        "held": ("举办", "Held"),
        "held_back": ("因异议暂缓", "Held back"),
        "issued": ("制发证书", "Issued"),
        "judged": ("进入评审", "Judged"),
        "lapsed": ("失效", "Lapsed"),
        "merged": ("合并", "Merged"),
        "moved": ("调整", "Moved"),
        "not_reported": ("逾期未报", "Not reported"),
        "opened": ("启动", "Opened"),
        "operated": ("投入运行", "Operated"),
        "part_lapsed": ("部分失效", "Part lapsed"),
        "passed_over": ("未获奖", "Passed over"),
        "planned": ("规划", "Planned"),
        "prepared": ("筹建", "Prepared"),
        "proposed": ("提出", "Proposed"),
        "publicised": ("公示", "Publicised"),
        "received": ("到账", "Received"),
        "rechecked": ("复查", "Rechecked"),
        "recorded": ("填报", "Recorded"),
        "registered": ("登记", "Registered"),
        "rejected": ("退回", "Rejected"),
        "removed": ("移除", "Removed"),
        "reopened": ("重新开启", "Reopened"),
        "reported": ("上报", "Reported"),
        "restored": ("恢复使用", "Restored"),
        "resubmitted": ("重新提交", "Resubmitted"),
        "returned": ("退回资金", "Returned"),
        "revised": ("修订", "Revised"),
        "revoked": ("撤销", "Revoked"),
        "scheduled": ("安排", "Scheduled"),
        "sent_back": ("退回补正", "Sent back"),
        "shortlisted": ("入围", "Shortlisted"),
        "slept": ("转入休眠", "Put to sleep"),
        "started": ("开始", "Started"),
        "submitted": ("提交", "Submitted"),
        "superseded": ("被取代", "Superseded"),
        "suspended": ("停用", "Suspended"),
        "taken_up": ("开始评审", "Taken up"),
        "tie_resolved": ("裁定并列", "Tie resolved"),
        "unflagged": ("取消停用标记", "Unflagged"),
        "verified": ("核实", "Verified"),
        "voided": ("作废", "Voided"),
        "withdrawn": ("撤回", "Withdrawn"),
    }
)


def field(name: str, *, of: str = "", language: Language = "zh") -> str:
    """What a field is called, in the kind or command `of` (`outreach.record_count`); an unknown one by its name."""
    return field_word(name, of=of).said(language)


def field_word(name: str, *, of: str = "") -> Word:
    return FIELDS_OF.get(of, FIELDS).get(name) or FIELDS.get(name) or Word(name, name)


def unit(name: str) -> Word | None:
    """What people count this field in; none where it is no quantity."""
    return UNITS.get(name)


def value(text: str, *, field: str = "", of: str = "", language: Language = "zh") -> str:
    """What a value of a closed list or a district is called, in that field of that kind; any other as it is."""
    return value_word(text, field=field, of=of).said(language)


def value_word(text: str, *, field: str = "", of: str = "") -> Word:
    for narrower in (VALUES_OF.get(f"{of}.{field}"), VALUES_OF.get(field)):
        if narrower and text in narrower:
            return narrower[text]
    if text in DISTRICTS:
        return district(text)
    return VALUES.get(text) or Word(text, text)


def district(code: str) -> Word:
    """A district's name, and what else people write for it."""
    name = DISTRICTS[code]
    short = next((name.removesuffix(end) for end in ("彝族自治县", "区", "县", "市") if name.endswith(end)), name)
    county = (f"{short}县",) if name.endswith("自治县") else ()
    said = (name, short, *county)
    within = (f"{before}{one}" for before in ("乐山市", "四川省乐山市") for one in said)
    return Word(name, code, (short, *county, *within, f"{name}{code}", f"{code}{name}"))


def kind(key: str, *, language: Language = "zh") -> str:
    return KINDS[key].said(language) if key in KINDS else key


def command(key: str, *, language: Language = "zh") -> str:
    return COMMANDS[key].said(language) if key in COMMANDS else key


def happening(name: str, *, language: Language = "zh") -> str:
    return HAPPENINGS[name].said(language) if name in HAPPENINGS else name


def service(name: str, *, language: Language = "zh") -> str:
    return SERVICES[name].said(language) if name in SERVICES else name


def values_named(choices: Iterable[str], *, field: str = "", of: str = "") -> dict[str, str]:
    """The value behind each way to write one of these choices, to be looked up with `plain`.

    What two choices have in common stands for neither, unless it is the name of one of them.
    """
    return _named({choice: (choice, *value_word(choice, field=field, of=of).all) for choice in choices})


def fields_named(names: Iterable[str], *, of: str = "") -> dict[str, str]:
    """The field behind each way to write one of these headers, to be looked up with `plain`."""
    return _named({name: (name, *field_word(name, of=of).all) for name in names})


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """A word without what people vary: case, blanks, full-width forms, brackets and signs between."""
    return text.translate(_PLAIN).casefold()


_VARIES = " \t\r\n\u00a0\u200b\u3000\ufeff()[]_-'’、,.:&*"
_PLAIN = {ord(char): None for char in _VARIES} | {
    0xFEE0 + code: None if chr(code) in _VARIES else chr(code) for code in range(0x21, 0x7F)
}


def _named(said: Mapping[str, Iterable[str]]) -> dict[str, str]:
    found: dict[str, str | None] = {}
    for name, words in said.items():
        for word in words:
            key = plain(word)
            found[key] = name if found.get(key, name) == name else None
    own = {plain(name): name for name in said}
    return {key: name for key, name in found.items() if name is not None} | own
