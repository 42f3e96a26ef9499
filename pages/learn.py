"""Learn: the chapter's exercises, to try out oneself."""

import streamlit as st

from vggexplorer.lessons.tasks import TASKS
from vggexplorer.ui import header, lesson_link
from vggexplorer.ui.i18n import t
from vggexplorer.ui.learn import tasks
from vggexplorer.ui.network import answers, editor
from vggexplorer.ui.state import complain, current

task = TASKS.get(current().task or "")
if task:
    with st.sidebar:
        editor.show(tasks.live(task))
    answers.carry(tasks.live(task))
header.show(t("Learn"), t("The chapter's exercises, to try out yourself"))
complain("page")
tasks.keep_progress()
if task:
    lesson_link.notice()
    tasks.show(task)
else:
    tasks.show_list()
