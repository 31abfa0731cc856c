/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ctrl_answer: what the broker's answer to a question says.
 */
#include "ctrl_client.h"
#include "ctrl_text.h"

#include <cjson/cJSON.h>
#include <string.h>

/*
 * The response with our correlation. One without any comes from a broker that did not understand so much of the request as to know
 * it; it is ours then, since answers go to the client that asked alone.
 */
static const cJSON *find_response(const cJSON *root, const char *correlation)
{
	const cJSON *response;

	cJSON_ArrayForEach(response, cJSON_GetObjectItemCaseSensitive(root, "responses"))
	{
		const cJSON *theirs = cJSON_GetObjectItemCaseSensitive(response, "correlationData");

		if (!cJSON_IsObject(response))
			continue;
		if (!theirs ? cJSON_HasObjectItem(response, "error")
		            : cJSON_IsString(theirs) && strcmp(theirs->valuestring, correlation) == 0)
			return response;
	}
	return NULL;
}

enum ctrl_answer ctrl_answer_read(const char *payload, size_t len, const char *correlation, cJSON **data, char **error)
{
	cJSON *root = cJSON_ParseWithLength(payload, len);
	const cJSON *response = find_response(root, correlation);
	const cJSON *refused, *said;
	enum ctrl_answer answer = response ? CTRL_ANSWER_YES : CTRL_ANSWER_OTHER;

	*data = NULL;
	*error = NULL;
	refused = cJSON_GetObjectItemCaseSensitive(response, "error");
	said = cJSON_GetObjectItemCaseSensitive(response, "data");
	if (refused) {
		answer = CTRL_ANSWER_ERROR;
		*error =
			ctrl_text_clean(cJSON_IsString(refused) ? refused->valuestring : "the broker refused, and did not say why");
	} else if (said) {
		*data = ctrl_must(cJSON_Duplicate(said, true));
	}
	cJSON_Delete(root);
	return answer;
}
