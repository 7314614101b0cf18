"""Which words that a text does not hold look like names: of people, places, bodies, products.

There is no list of all names. What is told here is what Chinese names look like: a surname and one
or two characters, the syllables of transliteration, the endings of places and bodies, and the
places that people talk about most. What looks like none of them is only a word in other words.
"""

import re

_SURNAMES = (
    "王李张刘陈杨赵黄吴徐孙胡朱郭罗宋郑谢韩冯董萧曹袁邓许傅沈彭吕苏卢蒋蔡贾魏薛阎潘杜戴钟汪姜谭廖邹熊"
    "陆郝孔崔邱秦侯邵孟尹黎乔贺赖龚欧梁林丁马叶唐曾程余邬岑倪庞柯詹翁辜涂简游洪颜"
)
_TWO_SURNAMES = "欧阳|司马|诸葛|上官|司徒|东方|尉迟|公孙|慕容|夏侯"
# Words that begin as a surname does.
_NO_PEOPLE = re.compile(
    r"许多|许可|许久|程度|程序|程式|曾经|曾是|曾在|余下|余地|简单|简称|简直|简化|简短|简洁|谢谢|马上|叶子|游戏|游客"
    r"|徐徐|孔洞|林立|洪水|涂抹|秦代|宋代|唐代|汉代|颜色|陆续|陆地|胡乱|孟加拉|罗列|沈重|黄色|黄金|程[度序式]|姜黄|高|乔装"
    r"|丁点|贺礼|熊熊|梁柱|侯爵|张开|张力|张贴|孙子|邓|李子|董事|马力|马达|马路|曾|余|许|简|欧洲|欧美|唐朝|宋朝|秦朝"
)
_SYLLABLES = frozenset(
    "阿艾安奥巴贝本比伯布查达德迪多尔法菲费弗福盖格戈古哈赫霍基吉加杰卡凯科克肯库拉莱兰劳勒雷里丽利莉列"
    "琳卢鲁伦罗洛玛迈麦曼米莫姆穆纳娜内尼诺努帕佩皮普乔切茹萨塞桑瑟沙莎舍史斯司索塔泰坦汤特提托瓦威韦维沃"
    "乌西希谢辛休彼雅亚扬耶伊约泽扎詹朱兹佐森顿逊夫埃丹蒂娃蕾翁昂贾"
)
_ENDINGS = re.compile(
    r"[^的了在和与是]{1,6}?(?:市|省|县|州|国|岛|港|镇|乡|区|河|湖|山|江|海|路|街|寺|庙|宫|城|村"
    r"|堡|大学|学院|公司|集团|银行|医院|实验室|协会|委员会|基金会|研究院|研究所|王国|帝国|王朝|队|党|奖|杯|社|报)$"
)
_NO_PLACES = re.compile(
    r"(?:全国|各国|本国|外国|我国|两国|国家|城市|地区|社区|部队|团队|军队|小队|道路|网路|一路|思路|出路|公路|铁路|线路|电路|套路"
    r"|山区|灾区|选区|海报|情报|汇报|通报|警报|日报|举报|回报|电报|申报|报社|旅行社|出版社|得奖|获奖|排队|政党|该[市国省州县队]"
    r"|超市|股市|都市|上市|当地)$"
    r"|^[某该家本此这那其一他它各别的]{0,3}(?:公司|大学|学院|医院|银行|集团|实验室|协会|委员会|基金会|研究院|研究所)$"
)
_PLACES = re.compile(
    r"(?:全国|各国|本国|外国|我国|两国|国家|城市|地区|社区|部队|团队|军队|公司|大学|学院|医院|银行|集团|实验室|协会|道路|网路"
    r"|一路|思路|出路|公路|铁路|线路|电路|套路|山区|灾区|选区|海报|情报|汇报|通报|警报|日报|举报|回报|电报|申报|报社|旅行社|出版社"
    r"|得奖|获奖|排队|政党|该市|该国|该省|该州|该县|该队|当地|超市|股市|都市)$"
)
_PLACES = re.compile(
    "中国|台湾|香港|澳门|美国|英国|法国|德国|日本|韩国|朝鲜|俄国|俄罗斯|苏联|印度|越南|泰国|缅甸|印尼|菲律宾|马来西亚|新加坡"
    "|加拿大|墨西哥|巴西|阿根廷|智利|古巴|西班牙|葡萄牙|意大利|义大利|希腊|土耳其|埃及|以色列|伊朗|伊拉克|沙特|荷兰|比利时"
    "|瑞士|瑞典|挪威|芬兰|丹麦|波兰|乌克兰|奥地利|匈牙利|捷克|澳洲|澳大利亚|新西兰|纽西兰|南非|非洲|欧洲|亚洲|美洲|北美|南美"
    "|北京|上海|天津|重庆|广州|深圳|杭州|南京|武汉|成都|西安|苏州|青岛|大连|沈阳|台北|台中|台南|高雄|新竹|桃园|广东|广西|福建"
    "|浙江|江苏|山东|山西|河南|河北|湖南|湖北|四川|云南|贵州|陕西|甘肃|青海|宁夏|新疆|西藏|内蒙古|海南|江西|安徽|辽宁|吉林|黑龙江"
    "|东京|大阪|京都|首尔|伦敦|巴黎|柏林|罗马|莫斯科|纽约|华盛顿|洛杉矶|旧金山|波士顿|芝加哥|悉尼|雪梨|多伦多|伊斯坦堡"
    "|汉朝|唐朝|宋朝|元朝|明朝|清朝|秦朝|隋朝|汉代|唐代|宋代|元代|明代|清代|罗马帝国|佛教|道教|儒教|基督教|天主教|伊斯兰教|犹太教"
    "|星期[一二三四五六日天]|周[一二三四五六日]|谷歌|微软|苹果|腾讯|阿里巴巴|百度|字节跳动|华为|台积电|联发科|三星|索尼|英伟达|特斯拉"
)


def looks_like_a_name(words: str) -> bool:
    """Whether a folded stretch of Han characters, foreign to a source, holds a likely name."""
    return bool(
        _PLACES.search(words)
        or _is_transliteration(words)
        or _is_a_person(words)
        or _is_a_body(words)
    )


def _is_a_person(words: str) -> bool:
    if re.match(_TWO_SURNAMES, words):
        return 3 <= len(words) <= 5
    return 2 <= len(words) <= 4 and words[0] in _SURNAMES and not _NO_PEOPLE.match(words)


def _is_a_body(words: str) -> bool:
    return len(words) > 1 and bool(_ENDINGS.search(words)) and not _NO_PLACES.search(words)


def _is_transliteration(words: str) -> bool:
    """Three syllables of transliteration in a row."""
    run = 0
    for char in words:
        run = run + 1 if char in _SYLLABLES else 0
        if run == 3:
            return True
    return False
