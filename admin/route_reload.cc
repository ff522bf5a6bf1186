// POST /api/v1/reload: the same as SIGHUP, told what came of it. 422 where anything was refused.
// Thread rule: see routes.h.
#include <utility>

#include "admin/json.h"
#include "admin/routes.h"
#include "admin/status_json.h"

namespace steerd::admin {

void post_reload(const Call& call, const Reply& reply) {
    call.context.desk.ask(server::AskReload{[reply](const server::LoadReport& load) {
        Response response;
        response.status = load.ok ? 200 : 422;
        response.make = [load] { return text_of(load_json(load), 1) + "\n"; };
        reply(std::move(response));
    }});
}

}  // namespace steerd::admin
