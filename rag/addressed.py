"""What is said to the bot instead of asked of the articles: orders, chores, small talk.

Such a message shares words with articles on language models and so looks answerable. Whatever
asks how, why or who about an order ("how do they get it to ignore its rules") is a question.
"""

import re

# All folded.
_HIDDEN = r"提示词|系统提示|系统指令|初始指令|环境变[量数]|令牌|token|密钥|金钥|api ?key|密码|\.env"
# What an order to a language model wants, whatever the subject of the articles.
_ORDERS = re.compile(
    r"(?:无视|忽略|忘掉|忘记|忘了|不要?理会?|别管|不用管|不必理会|抛开|跳过|推翻|作废)[^,。;!?]{0,12}"
    r"(?:指令|指示|规则|规定|设定|提示|限制|要求|约束|对话|命令)"
    r"|(?:输出|打印|印|显示|列|贴|泄露|吐|交|发|背|念|复述|重复|公开|给我看|告诉我)(?:出来?|一下|一遍)?"
    rf"[^,。;!?]{{0,16}}(?:{_HIDDEN})|(?:{_HIDDEN})"
    r"[^,。;!?]{0,8}(?:输出|打印|印|显示|列|贴|泄露|吐|交|发|背|念|给我)"
    r"|(?:从?现在(?:起|开始)|接下来|从今以后|以后|今后|往后)[^。;!?]{0,4}"
    r"(?:你|每|都|一律|只准|只能|只许|全部?|回答|回复|说话)"
    r"|(?:你现在|你就|你)(?:是|扮演|假装是?|当)(?:一个|一只|一位|个)?[^,。;!?吗呢]{1,16}"
    r"(?:,|。|;|!).*(?:回答|说|做|规则|限制)"
    r"|(?:进入|启用|启动|切换到?|解锁)[^,。;!?]{0,8}(?:模式|越狱)"
    r"|把[^,。;!?]{0,12}(?:逐字|一字不漏地?|原封不动地?)(?:再)?(?:重复|复述|念|背|贴|输出)"
    r"|@everyone|@here"
    r"|\b(?:ignore|disregard|forget|override|bypass)\b.{0,30}"
    r"\b(?:instructions?|rules?|prompts?|guidelines?|restrictions?|everything)\b"
    r"|\b(?:print|reveal|show|output|repeat|dump|leak|give me|tell me)\b.{0,30}"
    r"\b(?:system prompt|hidden prompt|your prompt|your instructions|env(?:ironment)? var\w*"
    r"|api keys?|tokens?|passwords?|secrets?)\b"
    r"|\b(?:from now on|you are now|you're now|act as|pretend (?:to be|you)|role-?play)\b"
)
# The bot's own: no article holds it, however it is asked for.
_SECRETS = re.compile(
    r"(?:你|妳|你们)的?(?:隐藏的?|原始的?|初始的?|完整的?|后台)*"
    rf"(?:{_HIDDEN}|指令|设定)"
    r"|\byour (?:hidden |system |initial |original |full )*"
    r"(?:prompt|instructions|system message|environment|api key|token|password)"
)
# Work that is not finding something in articles; what is wanted stands after the verb.
_CHORES = re.compile(
    r"(?:(?:帮我?|替我|给我|为我|请你?|麻烦你?)(?:随便|也|再|先)?"
    r"(?:写|作|编|画|翻译?|译|算|润色|改写|生成|做|讲|说|唱|订|买|点|查|推荐|介绍|安排|规划|设计)|^(?:推荐|翻译|订))"
    r"(?:一?[首篇个段份张封则支幅套道]|点|下|几)?[^,。;!?]{0,10}"
    r"(?:诗|情书|歌|歌词|代码|程式|程序|脚本|作文|文案|邮件|信|简历|履历|报告|论文|笑话|故事|冷笑话"
    r"|图|logo|海报|机票|酒店|饭店|餐厅|美食|外卖|行程|食谱|菜单|电影|作业|习题|周报|祝福语)"
    r"|\b(?:write|draft|compose|make|code) me\b|\b(?:write|compose) (?:a|an|some) "
    r"(?:poem|song|story|essay|email|letter|script|joke|function|program|code)\b"
    r"|\btell me a (?:joke|story)\b"
)
# Greetings in a row are taken possessively: a long laugh before another word is read once.
_SMALL_TALK = re.compile(
    r"(?:\W*(?:你好|您好|大家好|嗨|哈喽|哈啰|嘿|早安?|早上好|午安|晚安|晚上好|在吗|在不在|有人吗|谢谢你?|多谢|感谢"
    r"|辛苦了|再见|拜拜|掰掰|哈|呵|嘻|好的?"
    r"|ok|hi+|hello|hey|yo|thanks|thank you|thx|bye|good (?:morning|night))"
    r"(?:呀|啊|哦|喔|呢|吗|了|啦|喽|你|大家)?)++\W*"
    r"|.*(?:你|妳)(?:到底)?(?:是谁|叫什么(?:名字)?|几岁|多大|吃了吗|会什么|会做什么|能做什么|有(?:男|女)朋友|喜欢我|爱我"
    r"|无聊吗|累不累|累吗|是(?:真人|机器人|人类|人))(?:吗|呀|啊|呢)?\W*"
    r"|\W*(?:陪我|跟我|和我)(?:聊|说|玩).*|.*(?:讲|说|来)(?:一?个)?(?:冷?笑话|鬼故事)(?:来?听听|吧|好不好)?\W*"
    r"|.*\b(?:who are you|how are you|are you (?:a )?(?:bot|human|real|ai)"
    r"|what can you do|do you love me)\b\W*"
)
# Who asks about an order or about somebody else's words gives none.
_ASKED_ABOUT = re.compile(
    r"为什么|为何|为啥|什么|怎么|怎样|如何|咋|干[嘛吗么]|谁|哪|多少|几[个次年篇种位]|是否|是不是|有没有|会不会|吗\W*$"
    r"|\b(?:why|what|how|who|which|when|where)\b|^(?:does|did|do|is|are|was|were|can|will)\b"
)


def addresses_the_bot(folded_question: str) -> bool:
    """Whether a message gives the bot an order or a chore, or only makes conversation."""
    if _SMALL_TALK.fullmatch(folded_question) or _SECRETS.search(folded_question):
        return True
    ordered = _ORDERS.search(folded_question) or _CHORES.search(folded_question)
    return bool(ordered) and not _ASKED_ABOUT.search(folded_question)
