// GET /api/v1/explain?name=&type=&client=: the decision by the snapshot that is served now, with
// its live health. Takes no detour by the server's loop. Thread rule: see routes.h.
#include <utility>

#include "admin/explain.h"
#include "admin/routes.h"

namespace steerd::admin {

void get_explain(const Call& call, const Reply& reply) {
    const auto& request = call.request;
    for (const char* key : {"name", "client"}) {
        if (!request.asked(key)) {
            reply(failure(400, std::string(key) +
                                   " is missing: ask /api/v1/explain?name=NAME&type=A&client=IP"));
            return;
        }
    }
    const auto question =
        parse_question({*request.asked("name"), request.asked("type").value_or("A"),
                        *request.asked("client"), request.asked("draw").value_or("")});
    if (!question) {
        reply(failure(400, question.error()));
        return;
    }
    const auto snapshot = call.context.desk.snapshots.current();
    if (snapshot == nullptr) {
        reply(failure(503, "nothing is served yet"));
        return;
    }
    const auto explained = explain(*snapshot, *question, call.context.desk.clock.now());
    if (!explained) {
        reply(failure(500, explained.error()));
        return;
    }
    Response response;
    response.body = text_of(*explained, 1) + "\n";
    reply(std::move(response));
}

}  // namespace steerd::admin
