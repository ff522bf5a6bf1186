// GET /metrics: facts from the server's loop, counts from the threads that answer, text made on the
// HTTP thread. Thread rule: see routes.h.
#include "admin/metrics.h"
#include "admin/routes.h"

namespace steerd::admin {

void get_metrics(const Call& call, const Reply& reply) {
    call.context.desk.ask(server::AskStatus{[reply, &context = call.context](auto status) {
        Response response;
        response.type = "text/plain; version=0.0.4; charset=utf-8";
        response.make = [status = std::move(status), &context] {
            const auto& desk = context.desk;
            const auto answers = desk.snapshots.answers();
            const auto workers = desk.counters();
            return metrics_text({*status, answers, workers,
                                 desk.snapshots.lag(desk.clock.now().mono), context.version});
        };
        reply(std::move(response));
    }});
}

}  // namespace steerd::admin
