"""Parameter values as plain ones: expressions, also with project variables, are evaluated."""

from __future__ import annotations

import os
import re
from typing import Any

from qgis.core import (  # type: ignore[attr-defined]
    NULL,
    QgsCoordinateReferenceSystem,
    QgsExpression,
    QgsExpressionContext,
    QgsGeometry,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingParameterDefinition,
    QgsProperty,
    QgsReferencedGeometry,
)

Parameters = dict[str, Any]
DATA_DEFINED = "data_defined"  # an expression in qgis_process's JSON: {"type": "data_defined", "expression": "..."}
_LAYER_EXTENT = re.compile(r"\s*layer_property\s*\((.+),\s*'extent'\s*\)\s*")


def evaluated(algorithm: Any, parameters: Parameters, context: QgsProcessingContext) -> Parameters:
    """A copy of the parameters with the value of every expression, also of those in lists, sources and outputs.

    Expressions know the variables of QGIS, the project and the algorithm. Raises QgsProcessingException, with the
    parameter's name, for an expression that has no value; of an optional parameter it may be NULL.
    """
    scope = algorithm.createExpressionContext(parameters, context)
    values = {}
    for key, value in parameters.items():
        definition = algorithm.parameterDefinition(key)
        values[key] = _plain(key, value, scope, definition is None or is_optional(definition))
    return values


def is_optional(definition: QgsProcessingParameterDefinition) -> bool:
    """Whether a parameter may be left empty."""
    return bool(definition.flags() & QgsProcessingParameterDefinition.Flag.FlagOptional)  # type: ignore[attr-defined]


def _plain(key: str, value: Any, scope: QgsExpressionContext, optional: bool) -> Any:
    if isinstance(value, dict) and value.get("type") == DATA_DEFINED:
        field, expression = value.get("field"), value.get("expression", "")
        value = QgsProperty.fromField(field) if field else QgsProperty.fromExpression(expression)
    if isinstance(value, QgsProperty):
        value = _value(key, value, scope, optional)
    if isinstance(value, (list, tuple)):
        return [_plain(key, item, scope, False) for item in value]
    if isinstance(value, QgsProcessingFeatureSourceDefinition):
        copy = QgsProcessingFeatureSourceDefinition(value)
        copy.source = QgsProperty.fromValue(_plain(key, value.source, scope, optional))
        return copy
    if isinstance(value, QgsProcessingOutputLayerDefinition):
        output = QgsProcessingOutputLayerDefinition(value)
        output.sink = QgsProperty.fromValue(_plain(key, value.sink, scope, optional))
        return output
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return None if value == NULL else value


def _value(key: str, value: QgsProperty, scope: QgsExpressionContext, optional: bool) -> Any:
    """The value of a property; a layer's extent with the layer's CRS."""
    if value.field():
        raise QgsProcessingException(
            f"{key} is the field {value.field()!r}, but the algorithm reads no features. Write an expression."
        )
    text = value.expressionString()
    if not value.isActive() or not text:
        return value.staticValue()
    result = _evaluate(key, text, scope)
    if result is None and not optional:
        raise QgsProcessingException(f"{key} has no value: its expression {text!r} is NULL.")
    extent_of_layer = _LAYER_EXTENT.fullmatch(text)
    if extent_of_layer and isinstance(result, QgsGeometry) and not isinstance(result, QgsReferencedGeometry):
        crs = _evaluate(key, f"layer_property({extent_of_layer[1]}, 'crs')", scope)
        return QgsReferencedGeometry(result, QgsCoordinateReferenceSystem(crs))
    return result


def _evaluate(key: str, text: str, scope: QgsExpressionContext) -> Any:
    """The value of an expression, None for NULL; QgsProcessingException for an error or an unknown variable."""
    expression = QgsExpression(text)
    result = None if expression.hasParserError() else expression.evaluate(scope)
    problem = expression.parserErrorString() or expression.evalErrorString()
    result = None if result == NULL else result
    unknown = [name for name in expression.referencedVariables() if name and not scope.hasVariable(name)]
    if not problem and result is None and unknown:
        problem = f"there is no variable {', '.join('@' + name for name in sorted(unknown))}"
    if problem:
        raise QgsProcessingException(f"{key}: the expression {text!r} cannot be evaluated: {problem.strip()}.")
    return result
