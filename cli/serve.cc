// steerd serve: runs the server in the foreground.
#include "cli/command.h"
#include "server/service.h"

namespace steerd::cli {

int run_serve(const Args& args) {
    args.expect_positional(0);
    return server::serve(config_path(args));
}

}  // namespace steerd::cli
