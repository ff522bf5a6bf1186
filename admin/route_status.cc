// GET /api/v1/status: everything that is known, as product.md §9 shapes it. The facts come from the
// server's loop, the text is made here. Thread rule: see routes.h.
#include "admin/answers_json.h"
#include "admin/json.h"
#include "admin/routes.h"
#include "admin/status_json.h"

namespace steerd::admin {

void get_status(const Call& call, const Reply& reply) {
    call.context.desk.ask(server::AskStatus{[reply, &context = call.context](auto status) {
        Response response;
        response.make = [status = std::move(status), &context] {
            Json json = status_json(*status, context.version);
            json["answers"] =
                answers_json(context.desk.snapshots.answers(), context.desk.counters());
            return text_of(json, 1) + "\n";
        };
        reply(std::move(response));
    }});
}

}  // namespace steerd::admin
