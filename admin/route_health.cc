// GET /healthz: this process works; its loop, which runs probes and reloads, answers. GET /readyz:
// it answers queries, with health that is known. For load balancers and service managers; plain
// text, since they look at the status alone. Thread rule: see routes.h.
#include "admin/routes.h"

namespace steerd::admin {

namespace {

Response words(int status, std::string text) {
    Response response;
    response.status = status;
    response.type = "text/plain; charset=utf-8";
    response.body = std::move(text) + "\n";
    return response;
}

}  // namespace

void get_health(const Call& call, const Reply& reply) {
    call.context.desk.ask(server::AskReady{[reply](bool) { reply(words(200, "ok")); }});
}

void get_ready(const Call& call, const Reply& reply) {
    call.context.desk.ask(server::AskReady{[reply](bool ready) {
        reply(ready ? words(200, "ready")
                    : words(503, "not ready: the first round of checks is under way"));
    }});
}

}  // namespace steerd::admin
