// mailer.cc - the engine from C++: handles that close themselves, a lambda as a step, and
// answers from a thread of the program's own.
//
//     c++ -std=c++17 -pthread mailer.cc -o mailer $(pkg-config --cflags --libs interlock)

#include <interlock.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace
{

const std::string definition = R"(
id: letter
version: "1"
context: { to: "${input.to}", sent: null }
initial: SENDING
states:
  SENDING:
    invoke:
      src: send
      input: { to: "${context.to}" }
      onDone: { target: SENT, assign: { sent: "${event.output}" } }
      onError: RETURNED
  SENT: { type: final }
  RETURNED: { type: final, tags: [failure] }
steps:
  send: { call: send_mail, timeout: 5s }
)";

class Engine
{
public:
    explicit Engine(const std::string &path)
        : engine_(il_engine_new(), [](il_engine *engine) { il_engine_close(engine, 1000); })
    {
        check(il_engine_register(engine_.get(), "send_mail", &Engine::sendMail, this));
        check(il_engine_open(engine_.get(), path.c_str()));
        check(il_engine_deploy(engine_.get(), definition.data(), definition.size(), "letter",
                               nullptr, nullptr, nullptr));
    }

    // Threads may answer until the engine is closed, so they end before it.
    ~Engine()
    {
        for (auto &thread : threads_)
            thread.join();
    }

    void send(const std::string &id, const std::string &to)
    {
        const std::string input = "{\"to\":\"" + to + "\"}";
        check(il_engine_start(engine_.get(), "letter", id.c_str(), input.c_str(), nullptr,
                              nullptr, nullptr));
    }

    void run() { check(il_engine_run(engine_.get(), IL_UNTIL_REST, 30000)); }

    std::string describe(const std::string &id)
    {
        const char *json = il_engine_describe(engine_.get(), id.c_str());
        return json == nullptr ? il_engine_problem(engine_.get()) : json;
    }

private:
    // No exception may pass through the library: it is C.
    static void sendMail(void *context, const il_call *call, il_token token)
    {
        const std::string id = call->instance;
        static_cast<Engine *>(context)->threads_.emplace_back([id, token] {
            if (id == "bad")
                il_fail(token, "rejected", 550, "no such mailbox");
            else
                il_complete(token, ("\"posted " + id + "\"").c_str());
        });
    }

    void check(il_status status) const
    {
        if (status != IL_OK)
            throw std::runtime_error(std::string(il_status_text(status)) + ": " +
                                     il_engine_problem(engine_.get()));
    }

    std::unique_ptr<il_engine, void (*)(il_engine *)> engine_;
    std::vector<std::thread> threads_;
};

} // namespace

int main(int count, char **arguments)
{
    try {
        Engine engine(count > 1 ? arguments[1] : "letters.db");
        engine.send("one", "ada@example.org");
        engine.send("two", "bob@example.org");
        engine.send("bad", "nobody@example.org");
        engine.run();
        for (const char *id : {"one", "two", "bad"})
            std::printf("%s\n", engine.describe(id).c_str());
    } catch (const std::exception &problem) {
        std::fprintf(stderr, "mailer: %s\n", problem.what());
        return 1;
    }
    return 0;
}
