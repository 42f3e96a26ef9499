"""Learn: the chapter's exercises, to try out oneself."""

import streamlit as st

from vggexplorer.ui import header, lesson_link
from vggexplorer.ui.i18n import t
from vggexplorer.ui.learn import bench, index, lesson, progress, task
from vggexplorer.ui.network import answers, editor
from vggexplorer.ui.state import complain

opened = lesson.task()
if opened and not task.is_covered(opened, ask := task.asked(opened)):
    parts = bench.live(opened, ask)
    if bench.EDITOR in opened.bench_of(ask):
        with st.sidebar:
            editor.show(parts)
    answers.carry(parts)
if not opened:
    header.show(t("Learn"), t("The chapter's exercises, to try out yourself"))
complain("page")
progress.keep()
if opened:
    lesson_link.notice()
    task.show(opened)
else:
    index.show()
task.arrive(opened)
