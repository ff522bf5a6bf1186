// steerd serve: runs the server in the foreground.
#include "admin/admin.h"
#include "cli/command.h"
#include "server/service.h"

namespace steerd::cli {

int run_serve(const Args& args) {
    args.expect_positional(0);
    return server::serve(config_path(args),
                         [](const server::Desk& desk, const config::Model& model) {
                             return admin::open(desk, model, STEERD_VERSION);
                         });
}

}  // namespace steerd::cli
