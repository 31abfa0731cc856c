/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * acl_questions: what is asked of the brokers that are compared.
 */
#ifndef BENCH_ACL_QUESTIONS_H
#define BENCH_ACL_QUESTIONS_H

#include "acl_people.h"
#include "acl_trial.h"

/* What a message costs, with 1,000 clients of which 500 publish and 500 receive, one each. */
struct acl_message_question {
	const char *name;
	enum acl_group publishers;
	int qos;
	double least; /* that dynamic security's cost divided by Hearth's shall be; 0: that is only shown */
};

extern const struct acl_message_question ACL_MESSAGE_QUESTIONS[];
extern const int ACL_MESSAGE_QUESTION_COUNT;

bool acl_message_ask(struct acl_trial *trial, const struct acl_message_question *question, struct acl_rounds *out,
                     struct fault *fault);

/*
 * What a check costs: a message for 200 stored sessions of clients that are away, with QoS 0. Each is checked, and found to
 * be allowed to read; then nothing is sent, as nobody is there. Figures are those of one session: a message to a topic with
 * all of them, without that to a topic with none, divided by their number.
 */
struct acl_check_question {
	const char *name;
	enum acl_group readers;
	bool one_reader; /* all sessions are of one account */
	const char *topic;
	const char *lonely_topic; /* of the same kind; nobody has it */
};

extern const struct acl_check_question ACL_CHECK_QUESTIONS[];
extern const int ACL_CHECK_QUESTION_COUNT;

bool acl_check_ask(struct acl_trial *trial, const struct acl_check_question *question, struct acl_rounds *out,
                   struct fault *fault);

#endif
