/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_print_test: answers of the broker: which is ours, and how they look.
 */
#include "ctrl/ctrl_client.h"
#include "ctrl/ctrl_print.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

/* JSON with ' for ". */
static cJSON *json_of(const char *quoted)
{
	char text[1024];
	cJSON *json;

	assert_true(strlen(quoted) < sizeof text);
	memcpy(text, quoted, strlen(quoted) + 1);
	for (char *quote = text; (quote = strchr(quote, '\'')) != NULL;)
		*quote = '"';
	json = cJSON_Parse(text);
	assert_non_null(json);
	return json;
}

static void answers_become_lists_and_tables(void **state)
{
	static const struct {
		const char *data, *columns, *printed;
	} cases[] = {
		{"{'username':'anna','role':'admin','disabled':false,'commands':['a','b'],'n':1.5,'none':null}", NULL,
	     "username  anna\nrole      admin\ndisabled  no\ncommands  a, b\nn         1.5\nnone      \n"},
		/* What is wrapped once more says no more. */
		{"{'account':{'username':'anna','clientIds':['x']}}", NULL, "username    anna\nclient ids  x\n"},
		{"{'account':{'username':'anna','grants':[{'topic':'a/#','allow':'read'},{'deny':'write','topic':'b'}]}}",
	     "allow deny topic", "username  anna\n\ngrants:\nallow  deny   topic\nread          a/#\n       write  b\n"},
		{"{'accounts':[{'role':'admin','username':'a'},{'username':'거실/"
	     "uno1','role':'device','extra':7}],'totalCount':2}",
	     "username role", "username   role    extra\na          admin   \n거실/uno1  device      7\n"},
		{"{'accounts':['a','b'],'totalCount':2}", NULL, "a\nb\n"},
		{"{'accounts':[],'totalCount':0}", "username", ""},
		{"{'a':{'b':1},'c':2}", NULL, "a.b  1\nc    2\n"},
		{"{'messages':10,'lost':0}", NULL, "messages  10\nlost      0\n"},
		/* Nothing of a name reaches the terminal as it is. */
		{"{'names':['\\u001b[2J','\\u009b','x\\ny']}", NULL, "\xEF\xBF\xBD[2J\n\xEF\xBF\xBD\nx\xEF\xBF\xBDy\n"},
		{"{'list':[{'k\\u001b':'v'}]}", NULL, "k\xEF\xBF\xBD\nv\n"},
		{"[]", NULL, ""},
		{"{}", NULL, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cJSON *data = json_of(cases[i].data);
		char *text;
		size_t len;
		FILE *out = open_memstream(&text, &len);

		assert_non_null(out);
		ctrl_print_data(out, data, cases[i].columns);
		fclose(out);
		assert_string_equal(text, cases[i].printed);
		free(text);
		cJSON_Delete(data);
	}
}

static void json_stays_json(void **state)
{
	cJSON *data = json_of("{'name':'\\u001b\\u009b\\u200b거실'}"), *again;
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	ctrl_print_json(out, data);
	fclose(out);
	assert_null(strchr(text, '\033'));
	assert_null(strstr(text, "\xC2\x9B"));
	assert_null(strstr(text, "\xE2\x80\x8B"));
	again = cJSON_Parse(text);
	assert_true(cJSON_Compare(data, again, true));
	cJSON_Delete(again);
	cJSON_Delete(data);
	free(text);
}

static void our_answer_is_found(void **state)
{
	static const struct {
		const char *payload;
		enum ctrl_answer answer;
		const char *data, *error;
	} cases[] = {
		{"{'responses':[{'command':'x','correlationData':'me'}]}", CTRL_ANSWER_YES, NULL, NULL},
		{"{'responses':[{'command':'x','correlationData':'me','data':{'a':1}}]}", CTRL_ANSWER_YES, "{\"a\":1}", NULL},
		{"{'responses':[{'command':'x','correlationData':'me','error':'no\\u001b'}]}", CTRL_ANSWER_ERROR, NULL,
	     "no\xEF\xBF\xBD"},
		{"{'responses':[{'command':'x','correlationData':'me','error':7}]}", CTRL_ANSWER_ERROR, NULL,
	     "the broker refused, and did not say why"},
		/* The broker did not come so far as to read whose it is. */
		{"{'responses':[{'command':'Unknown command','error':'not JSON'}]}", CTRL_ANSWER_ERROR, NULL, "not JSON"},
		/* An earlier question's, and one that is none. */
		{"{'responses':[{'command':'x','correlationData':'you'}]}", CTRL_ANSWER_OTHER, NULL, NULL},
		{"{'responses':[{'command':'x','correlationData':'you'},{'correlationData':'me','data':2}]}", CTRL_ANSWER_YES,
	     "2", NULL},
		{"{'responses':[{'command':'x'}]}", CTRL_ANSWER_OTHER, NULL, NULL},
		{"{'responses':[7,null,'me']}", CTRL_ANSWER_OTHER, NULL, NULL},
		{"{'responses':{}}", CTRL_ANSWER_OTHER, NULL, NULL},
		{"{}", CTRL_ANSWER_OTHER, NULL, NULL},
		{"[]", CTRL_ANSWER_OTHER, NULL, NULL},
		{"not JSON", CTRL_ANSWER_OTHER, NULL, NULL},
		{"", CTRL_ANSWER_OTHER, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char payload[256], *error, *printed;
		cJSON *data;

		snprintf(payload, sizeof payload, "%s", cases[i].payload);
		for (char *quote = payload; (quote = strchr(quote, '\'')) != NULL;)
			*quote = '"';
		assert_int_equal(ctrl_answer_read(payload, strlen(payload), "me", &data, &error), cases[i].answer);
		printed = data ? cJSON_PrintUnformatted(data) : NULL;
		if (cases[i].data)
			assert_string_equal(printed, cases[i].data);
		else
			assert_null(printed);
		if (cases[i].error)
			assert_string_equal(error, cases[i].error);
		else
			assert_null(error);
		cJSON_free(printed);
		free(error);
		cJSON_Delete(data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_become_lists_and_tables),
		cmocka_unit_test(json_stays_json),
		cmocka_unit_test(our_answer_is_found),
	};

	return cmocka_run_group_tests_name("ctrl_print", tests, NULL, NULL);
}
