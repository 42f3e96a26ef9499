"""Learn: the chapter's exercises, done with one's own hands."""

import streamlit as st

from vggexplorer.lessons.tasks import TASKS
from vggexplorer.ui import header, lesson_link
from vggexplorer.ui.i18n import t
from vggexplorer.ui.learn import tasks
from vggexplorer.ui.network import editor
from vggexplorer.ui.state import complain, current

task = TASKS.get(current().task or "")
if task:
    with st.sidebar:
        editor.show()
header.show(t("Learn"), t("the chapter's exercises, done with one's own hands"))
complain("page")
tasks.keep_progress()
if task:
    lesson_link.notice()
    tasks.show(task)
else:
    tasks.show_list()
