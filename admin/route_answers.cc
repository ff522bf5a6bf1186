// GET /api/v1/answers: how often each endpoint was handed out, over the last minutes; the totals of
// now stand in the status. Thread rule: see routes.h.
#include "admin/answer_history.h"
#include "admin/json.h"
#include "admin/routes.h"

namespace steerd::admin {

void get_answers(const Call& call, const Reply& reply) {
    Response response;
    response.body = text_of(call.context.answers.json(call.context.desk.clock.now().mono)) + "\n";
    reply(std::move(response));
}

}  // namespace steerd::admin
