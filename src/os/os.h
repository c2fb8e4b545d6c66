/*
 * os.h - everything that asks the operating system: the front door of this chapter.
 *
 * One loop (libuv) runs on one thread; all callbacks come on that thread except where a
 * function says otherwise. Nothing here knows what it is used for.
 */
#pragma once

#include "os/clock.h"
#include "os/file.h"
#include "os/http_client.h"
#include "os/loop.h"
#include "os/new_file.h"
#include "os/process.h"
#include "os/query.h"
#include "os/thread.h"
