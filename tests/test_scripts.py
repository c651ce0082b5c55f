"""Scripts that say more with each character than an alphabet: the article is found on their pages too."""

from __future__ import annotations

import pytest

from tests.reading_pages import text_on

SAID = {
    "ko": (
        "시의회는 월요일 저녁 네 시간의 토론 끝에 오래된 다리를 철거하고 새로 짓기로 결정했다.",
        "시장은 회의가 끝난 뒤 나무 들보가 여러 곳에서 썩어 더는 쓸 수 없다고 기자들에게 말했다.",
        "재무 부서에 따르면 새 다리의 비용은 두 해 전 예상보다 두 배 가까이 늘었다고 한다.",
        "낚시 모임은 가을에 송어가 그곳 자갈에 알을 낳는다며 자리를 옮기라고 요구했다.",
    ),
    "ja": (
        "市議会は月曜日の夜、四時間の議論の末に古い橋を取り壊して新しく建てることを決めた。",
        "市長は会議の後、梁があちこちで腐っていてもう使えないと記者たちに述べた。",
        "財務課によると、新しい橋の費用は二年前の見込みのほぼ二倍になるという。",
        "釣りの会は、秋にマスがそこで卵を産むとして、橋の場所に強く反対している。",
    ),
    "zh": (
        "市议会周一晚上经过四个小时的讨论，决定拆除旧桥并在原地重新修建一座木桥。",
        "市长会后对记者表示，桥梁多处已经腐烂，不能再继续使用，必须尽快更换。",
        "财政部门称，新桥的费用几乎是两年前预计的两倍，其中一半由县里承担。",
        "钓鱼协会反对这一地点，因为鳟鱼秋天在那里的石头之间产卵，需要安静。",
    ),
}


@pytest.mark.parametrize("names", ["", "gallery-text"])
@pytest.mark.parametrize("language", SAID)
def test_the_article_is_read_and_what_stands_beside_it_is_not(language: str, names: str):
    said = SAID[language]
    title = said[0][:12]
    beside = "".join(
        f'<div><a href="/x{n}">{said[n % 4][:15]}</a><span>{n} · {said[1][:8]}</span></div>' for n in range(8)
    )
    paragraphs = "".join(f'<p class="{names}">{each}</p>' for each in said)
    text = text_on(
        f'<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta property="og:type" content="article">'
        '<meta property="article:published_time" content="2025-11-04T10:00:00+00:00"></head>'
        f"<body><div><h1>{title}</h1><div>{paragraphs}</div></div><div>{beside}</div></body></html>"
    )
    assert [each for each in said if each not in text] == []
    assert "7 · " not in text
