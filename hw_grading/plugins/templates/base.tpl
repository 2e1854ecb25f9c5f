{#- Adds a link to the desk above the table of each of formgrader's pages. -#}
{%- extends "nbgrader/base.tpl" -%}
{%- block body -%}
<p class="pull-right"><a href="{{ base_url }}/hw-grading/">Grade by Question</a></p>
{{ super() }}
{%- endblock -%}
