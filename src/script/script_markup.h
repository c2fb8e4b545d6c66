/*
 * script_markup.h - XML as elements: read only, with the little of the DOM that SCXML's
 * documents ask for (nodeName, attributes, childNodes, textContent, getAttribute,
 * hasAttribute, getElementsByTagName).
 */
#pragma once

#include "script/script_heap.h"

/* Pushes the root element; false, with nothing pushed, when the text is no XML. */
bool script_markup_push(struct script *script, struct span text);
